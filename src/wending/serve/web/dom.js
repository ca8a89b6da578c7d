// Small helpers to build elements. Text always enters as text: nothing in this page parses HTML at run time.

const SVG = "http://www.w3.org/2000/svg";

/** element("p", {class: "note", dir: "auto"}, "text", otherNode): attributes that are null or undefined are left out. */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/web/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

export function setIcon(button, name) {
  button.querySelector("use").setAttribute("href", `/web/icons.svg#${name}`);
}

export function iconButton(name, label) {
  return element("button", { type: "button", class: "tool small", "aria-label": label, title: label }, icon(name));
}
