// A little colour for the two languages that the scenarios speak, Python and JSON. One expression each, no parser:
// what it does not know stays plain.
import { element } from "./dom.js";

const PYTHON_WORDS =
  "False None True and as assert async await break class continue def del elif else except finally for from global if " +
  "import in is lambda nonlocal not or pass raise return try while with yield";

// A string may still be unfinished: the answer grows while it is shown.
const PYTHON = new RegExp([
  /(?<comment>#.*)/,
  /(?<string>[rbf]{0,2}(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))/,
  /(?<decorator>@[\w.]+)/,
  RegExp(`\\b(?<keyword>${PYTHON_WORDS.replaceAll(" ", "|")})\\b`),
  /\b(?<number>\d[\w.]*)/,
].map((part) => part.source).join("|"), "g");

const JSON_TEXT = new RegExp([
  /(?<key>"(?:\\.|[^"\\\n])*"(?=\s*:))/,
  /(?<string>"(?:\\.|[^"\\\n])*"?)/,
  /\b(?<keyword>true|false|null)\b/,
  /(?<number>-?\b\d[\d.eE+-]*)/,
].map((part) => part.source).join("|"), "g");

// A map, not an object: the name of the language is the model's, and "__proto__" must be as unknown as any other.
const PATTERNS = new Map([["python", PYTHON], ["py", PYTHON], ["json", JSON_TEXT]]);

/** The code as a list of texts and coloured spans. */
export function highlight(code, language) {
  const pattern = PATTERNS.get(language.toLowerCase());
  if (!pattern) return [code];
  const nodes = [];
  let position = 0;
  for (const match of code.matchAll(pattern)) {
    const [kind] = Object.entries(match.groups).find(([, text]) => text !== undefined);
    nodes.push(code.slice(position, match.index), element("span", { class: `code-${kind}` }, match[0]));
    position = match.index + match[0].length;
  }
  nodes.push(code.slice(position));
  return nodes;
}
