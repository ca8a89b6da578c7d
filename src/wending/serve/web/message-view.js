// Shows one message. While an answer streams in, only the blocks that changed are made anew, so that a selection or
// the focus in the finished part of the answer survives.
import { currentLanguage, t } from "./i18n.js";
import { copiesOnClick } from "./clipboard.js";
import { element, icon, iconButton } from "./dom.js";
import { parseBlocks, renderBlock } from "./markdown.js";

export class MessageView {
  #sources = [];
  #shown = "";
  #name = element("h2", { class: "visually-hidden" });
  #body;
  #foot = element("footer", { class: "foot" });

  constructor(message, onRetry) {
    this.message = message;
    this.onRetry = onRetry;
    this.#body = element("div", { class: "body", dir: message.role === "user" ? "auto" : null });
    this.node = element("article", { class: `message ${message.role}` }, this.#name, this.#body, this.#foot);
  }

  /** Brings the elements up to the message. `isLast` decides whether the answer can be asked for again. */
  update(isLast) {
    const { role, status, content } = this.message;
    if (role === "assistant") this.#updateBlocks(content);
    else if (this.#body.textContent !== content) this.#body.textContent = content;
    setLanguage(this.#body, content);

    const shown = [status, isLast, currentLanguage()].join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    const busy = status === "streaming" || status === "waiting";
    this.node.dataset.status = status;
    this.node.setAttribute("aria-busy", busy);
    this.#name.textContent = role === "user" ? t("you") : "wending";
    if (role === "assistant") this.#foot.replaceChildren(...this.#footNodes(busy, isLast));
  }

  #updateBlocks(content) {
    const blocks = parseBlocks(content);
    // The language belongs to it: a code block has a button with a name.
    const sources = blocks.map((block) => [currentLanguage(), block.kind, block.source].join());
    let same = 0;
    while (same < sources.length && sources[same] === this.#sources[same]) same += 1;
    while (this.#body.childNodes.length > same) this.#body.lastChild.remove();
    this.#body.append(...blocks.slice(same).map((block) => renderBlock(block, codeFrame)));
    this.#sources = sources;
  }

  #footNodes(busy, isLast) {
    const notice = noticeOf(this.message);
    const nodes = notice ? [notice] : [];
    if (busy) return [...nodes, dots()];
    const actions = element("div", { class: "actions" });
    if (this.message.content) {
      const copy = iconButton("copy", t("copy"));
      copiesOnClick(copy, () => this.message.content);
      actions.append(copy);
    }
    if (isLast) actions.append(this.#retryButton());
    actions.append(statistics(this.message));
    return [...nodes, actions];
  }

  #retryButton() {
    const failed = this.message.status === "error";
    const button = failed
      ? element("button", { type: "button", class: "plain retry" }, icon("again"), t("retry"))
      : iconButton("again", t("regenerate"));
    button.classList.add("again");
    button.addEventListener("click", this.onRetry);
    return button;
  }
}

/** What is to be said about how the answer went; nothing when it simply ended. */
function noticeOf({ status, content, error, finishReason }) {
  if (status === "waiting") return element("p", { class: "notice", role: "status" }, t("waiting"));
  if (status === "stopped") return element("p", { class: "notice" }, t("stopped"));
  if (status === "error") {
    const text = t(`error_${error.kind}`, { message: error.message });
    return element("p", { class: "notice error", role: "alert", dir: "auto" }, text);
  }
  if (status !== "done") return null;
  if (finishReason === "length") return element("p", { class: "notice" }, t("cut"));
  return content.trim() ? null : element("p", { class: "notice" }, t("empty"));
}

function dots() {
  return element("span", { class: "dots", "aria-hidden": "true" }, element("i"), element("i"), element("i"));
}

function statistics({ timeToFirstToken, tokensPerSecond, tokens }) {
  const line = element("p", { class: "statistics" });
  if (timeToFirstToken !== undefined) {
    line.append(element("span", { class: "ttft", title: t("ttftTitle") }, `${t("ttft")} ${duration(timeToFirstToken)}`));
  }
  if (tokensPerSecond !== undefined) {
    line.append(element("span", { class: "rate", title: t("rateTitle") }, `${number(tokensPerSecond)} tok/s`));
  }
  if (tokens !== undefined) line.append(element("span", { class: "count" }, t("tokens", { count: number(tokens) })));
  return line;
}

function number(value) {
  const digits = Number.isInteger(value) || value >= 100 ? 0 : 1;
  return value.toLocaleString(t("locale"), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function duration(seconds) {
  return seconds < 1
    ? t("milliseconds", { value: Math.round(seconds * 1000) })
    : t("seconds", { value: seconds.toFixed(2) });
}

function codeFrame(code, language, pre) {
  const copy = iconButton("copy", t("copyCode"));
  copiesOnClick(copy, () => code);
  const head = element("div", { class: "code-head" }, element("span", { class: "code-language" }, language), copy);
  return element("div", { class: "code", dir: "ltr" }, head, pre);
}

const SCRIPTS = [
  ["ja", /[\u3040-\u30ff]/],
  ["ko", /[\uac00-\ud7af]/],
  ["ar", /[\u0600-\u06ff]/],
  ["zh-CN", /[\u4e00-\u9fff]/],
];

/** Names the language of a text by its script, which picks the right shapes of Han characters and the right voice. */
function setLanguage(node, text) {
  const [language] = SCRIPTS.find(([, script]) => script.test(text)) ?? [];
  if (language) node.lang = language;
  else node.removeAttribute("lang");
}
