// A little colour for the two languages that the scenarios speak, Python and JSON. One expression each, no parser:
// what it does not know stays plain.
import { element } from "./dom.js";

const PYTHON_WORDS =
  "False None True and as assert async await break class continue def del elif else except finally for from global if " +
  "import in is lambda nonlocal not or pass raise return try while with yield";

const LANGUAGES = {
  python: new RegExp([
    "(?<comment>#.*)",
    "(?<string>[rbfRBF]{0,2}(?:\"\"\"[^]*?(?:\"\"\"|$)|'''[^]*?(?:'''|$)|\"(?:\\\\.|[^\"\\\\\\n])*\"?|'(?:\\\\.|[^'\\\\\\n])*'?))",
    "(?<decorator>@[\\w.]+)",
    `\\b(?<keyword>${PYTHON_WORDS.replaceAll(" ", "|")})\\b`,
    "\\b(?<number>\\d[\\w.]*)",
  ].join("|"), "g"),
  json: /(?<key>"(?:\\.|[^"\\\n])*"(?=\s*:))|(?<string>"(?:\\.|[^"\\\n])*"?)|\b(?<keyword>true|false|null)\b|(?<number>-?\b\d[\d.eE+-]*)/g,
};
LANGUAGES.py = LANGUAGES.python;

/** The code as a list of texts and coloured spans. */
export function highlight(code, language) {
  const pattern = LANGUAGES[language.toLowerCase()];
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
