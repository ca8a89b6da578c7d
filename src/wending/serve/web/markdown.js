// The part of Markdown that language models write: paragraphs, headings, lists, quotes, rules, code, bold, italics, links.
// An answer is hostile until shown otherwise: everything becomes elements made here with text inside them. Raw HTML is
// text, images do not exist, and a link is a link only if it goes to http or https.
import { element } from "./dom.js";
import { highlight } from "./highlight.js";

const FENCE = /^\s*(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const ITEM = /^(\s*)([-*+•]|\d{1,9}[.)])\s+(.*)$/;
const MAX_QUOTE_DEPTH = 8;
const JSON_START = /^(\{\s*("|\}|$)|\[\s*([[{"]|-?[\d.]+\s*,|$))/;
const PYTHON_START =
  /^(from [\w.]+ import |import [\w.]+( as \w+)?(,|\n|$)|(async )?def \w+\(|class \w+[(:]|@\w[\w.]*[(\n])/;
const BLANK = /^\s*$/;

/** Splits an answer into blocks {kind, source, ...}. While an answer grows, only its last blocks change. */
export function parseBlocks(text) {
  const language = bareCodeLanguage(text);
  if (language) return [{ kind: "code", language, code: text.trimEnd(), source: text }];
  const lines = text.split("\n");
  const blocks = [];
  for (let start = 0; start < lines.length;) {
    if (BLANK.test(lines[start])) {
      start += 1;
      continue;
    }
    const [block, end] = readBlock(lines, start);
    block.source = lines.slice(start, end).join("\n");
    blocks.push(block);
    start = end;
  }
  return blocks;
}

/** An answer that is code from its first character to its last, as "code only" asks for, without a fence around it. */
function bareCodeLanguage(text) {
  if (/^\s*(```|~~~)/m.test(text)) return null;
  const start = text.trimStart();
  if (JSON_START.test(start)) return "json";
  return PYTHON_START.test(start) ? "python" : null;
}

/** The block that begins at line `start`, and the line after its end. */
function readBlock(lines, start) {
  const line = lines[start];
  if (FENCE.test(line)) return readFence(lines, start);
  const heading = HEADING.exec(line);
  if (heading) return [{ kind: "heading", level: heading[1].length, text: heading[2] }, start + 1];
  if (RULE.test(line)) return [{ kind: "rule" }, start + 1];
  if (QUOTE.test(line)) {
    const end = endOfRun(lines, start, (next) => QUOTE.test(next));
    return [{ kind: "quote", text: lines.slice(start, end).map((quoted) => QUOTE.exec(quoted)[1]).join("\n") }, end];
  }
  if (ITEM.test(line)) return readList(lines, start);
  const end = endOfRun(lines, start, (next) => !BLANK.test(next) && !startsBlock(next));
  return [{ kind: "paragraph", text: lines.slice(start, end).join("\n") }, end];
}

function startsBlock(line) {
  return [FENCE, HEADING, RULE, QUOTE, ITEM].some((pattern) => pattern.test(line));
}

function endOfRun(lines, start, belongs) {
  let end = start + 1;
  while (end < lines.length && belongs(lines[end])) end += 1;
  return end;
}

function readFence(lines, start) {
  const [, fence, language] = FENCE.exec(lines[start]);
  const closes = (line) => line.trim().startsWith(fence) && line.trim() === fence[0].repeat(line.trim().length);
  const close = endOfRun(lines, start, (line) => !closes(line)); // an unclosed fence is code still being written
  const indent = /^\s*/.exec(lines[start])[0].length;
  const code = lines.slice(start + 1, close).map((line) => line.replace(new RegExp(`^\\s{0,${indent}}`), "")).join("\n");
  return [{ kind: "code", language, code }, Math.min(close + 1, lines.length)];
}

function readList(lines, start) {
  const items = []; // {indent, ordered, number, text}
  let end = start;
  for (; end < lines.length; end += 1) {
    const line = lines[end];
    const item = !RULE.test(line) && ITEM.exec(line);
    if (item) {
      const [, indent, mark, text] = item;
      const next = { indent: indent.length, ordered: /\d/.test(mark), number: parseInt(mark, 10), text };
      const [first] = items;
      if (first && next.ordered && !first.ordered && !isInside(next, first)) break; // numbers after bullets: a new list
      items.push(next);
    } else if (BLANK.test(line)) {
      const next = lines[end + 1] ?? "";
      if (!ITEM.test(next) && !/^\s{2,}\S/.test(next)) break; // a blank line ends the list unless the list goes on
    } else if (startsBlock(line) || (BLANK.test(lines[end - 1]) && !/^\s/.test(line))) {
      break;
    } else {
      items.at(-1).text += `\n${line.trim()}`;
    }
  }
  return [{ kind: "list", items }, end];
}

/** The element that shows a block. `codeFrame(code, language, pre)` wraps a code block: the copy button is not ours. */
export function renderBlock(block, codeFrame, depth = 0) {
  switch (block.kind) {
    case "code": {
      const code = element("code", {}, ...highlight(block.code, block.language));
      return codeFrame(block.code, block.language, element("pre", { dir: "ltr", tabindex: "0" }, code));
    }
    case "heading":
      // The page has h1 and h2 of its own; an answer's headings come below them.
      return element(`h${Math.min(block.level + 2, 6)}`, { dir: "auto" }, ...renderInline(block.text));
    case "rule":
      return element("hr");
    case "quote":
      if (depth === MAX_QUOTE_DEPTH) return element("p", { dir: "auto" }, block.source);
      return element("blockquote", { dir: "auto" },
        ...parseBlocks(block.text).map((inner) => renderBlock(inner, codeFrame, depth + 1)));
    case "list":
      return renderList(block.items);
    default:
      return element("p", { dir: "auto" }, ...renderInline(block.text));
  }
}

/** Whether an item belongs inside the one before it: it is indented further, or it is a bullet below a number. */
function isInside(item, first) {
  return item.indent > first.indent + 1 || (first.ordered && !item.ordered);
}

function renderList(items) {
  const [first] = items;
  const list = element(first.ordered ? "ol" : "ul", { dir: "auto" });
  if (first.ordered && first.number !== 1) list.setAttribute("start", first.number);
  for (let index = 0; index < items.length;) {
    const entry = element("li", {}, ...renderInline(items[index].text));
    const end = endOfRun(items, index, (item) => isInside(item, first));
    if (end > index + 1) entry.append(renderList(items.slice(index + 1, end)));
    list.append(entry);
    index = end;
  }
  return list;
}

// Lengths are bounded so that a hostile line of opening marks costs linear, not quadratic, time.
const INLINE = new RegExp([
  "\\\\(?<escaped>[\\\\`*_#])",
  "(?<ticks>`+)(?<code>[^]{1,1000}?)(?<!`)\\k<ticks>(?!`)",
  "\\*\\*(?=\\S)(?<strong>[^]{1,1000}?)(?<=\\S)\\*\\*",
  "(?<![\\w*])\\*(?=[^\\s*])(?<emphasis>[^*\\n]{1,500})(?<=\\S)\\*(?![\\w*])",
  "(?<!!)\\[(?<label>[^\\[\\]\\n]{1,500})\\]\\((?<url>https?://[^\\s()<>]{1,2000})\\)",
].join("|"), "g");

/** The nodes of a line of text: text nodes and the few inline elements. Line breaks are kept by the style sheet. */
function renderInline(text) {
  const nodes = [];
  let position = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(text.slice(position, match.index), inlineNode(match.groups));
    position = match.index + match[0].length;
  }
  nodes.push(text.slice(position));
  return nodes;
}

function inlineNode({ escaped, code, strong, emphasis, label, url }) {
  if (escaped) return escaped;
  if (code) return element("code", { dir: "ltr" }, code.replace(/^ (.*[^ ].*) $/, "$1"));
  if (strong) return element("strong", {}, ...renderInline(strong));
  if (emphasis) return element("em", {}, ...renderInline(emphasis));
  return element("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...renderInline(label));
}
