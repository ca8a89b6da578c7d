"use strict";
// The language switch, opening the answer that a square of the matrix points to, and the card beside the pointer.
const root = document.documentElement;

function setLanguage(language) {
  root.lang = language === "zh" ? "zh-CN" : "en";
  root.dataset.language = language;
  document.title = language === "zh" ? document.body.dataset.titleZh : document.body.dataset.titleEn;
  for (const button of document.querySelectorAll("[data-language]")) {
    if (button !== root) button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
}

function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let element = target; element; element = element.parentElement) {
    if (element instanceof HTMLDetailsElement) element.open = true;
  }
  target.scrollIntoView({ block: "center" });
}

function addCard() {
  const card = document.createElement("div");
  card.className = "card";
  card.hidden = true;
  document.body.append(card);
  const hide = () => { card.hidden = true; };
  const show = (cell) => {
    const chinese = root.dataset.language === "zh" && cell.dataset.titleZh;
    card.textContent = chinese || cell.dataset.reason;
    card.hidden = false;
    const box = cell.getBoundingClientRect();
    const left = Math.min(box.left, root.clientWidth - card.offsetWidth - 12);
    const below = box.bottom + 8 + card.offsetHeight < root.clientHeight;
    card.style.left = `${Math.max(8, left)}px`;
    card.style.top = `${below ? box.bottom + 8 : box.top - card.offsetHeight - 8}px`;
  };
  for (const cell of document.querySelectorAll("a.cell")) {
    cell.dataset.reason = cell.title;
    cell.removeAttribute("title");
    cell.addEventListener("mouseenter", () => show(cell));
    cell.addEventListener("focus", () => show(cell));
    cell.addEventListener("mouseleave", hide);
    cell.addEventListener("blur", hide);
  }
  addEventListener("scroll", hide, { passive: true });
}

for (const button of document.querySelectorAll("button[data-language]")) {
  button.addEventListener("click", () => setLanguage(button.dataset.language));
}
document.querySelector(".languages").hidden = false;
setLanguage(/^zh\b/i.test(navigator.language || "") ? "zh" : "en");
addCard();
addEventListener("hashchange", openTarget);
openTarget();
