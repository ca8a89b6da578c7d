// Every word of the page, in English and Chinese. Markup names its texts with data-i18n attributes; scripts call t().
import { read, write } from "./storage.js";

const TEXTS = {
  locale: ["en", "zh-CN"],
  otherLanguage: ["中文", "EN"],
  switchLanguage: ["切换到中文", "Switch to English"],

  toolbar: ["Tools", "工具"],
  newChat: ["New chat", "新对话"],
  settings: ["Settings", "设置"],
  close: ["Close", "关闭"],
  theme_auto: ["Theme: as the system", "主题：跟随系统"],
  theme_light: ["Theme: light", "主题：浅色"],
  theme_dark: ["Theme: dark", "主题：深色"],

  demoBadge: ["Demonstration model", "演示模型"],
  demoExplanation: [
    "A very small model that comes with wending, to try everything without a download. It is not Qwen2.5-7B and is often wrong.",
    "随 wending 附带的极小模型，无需下载即可试用全部功能。它不是 Qwen2.5-7B，常会出错。",
  ],
  finePrint: ["Answers can be wrong: check what matters.", "回答可能有误，重要内容请核实。"],
  health_connecting: ["Connecting …", "正在连接……"],
  health_starting: ["The model is starting …", "模型正在启动……"],
  health_locked: ["An API key is needed: enter it in the settings.", "需要 API 密钥，请在设置中填写。"],
  health_failed: ["The engine has stopped.", "引擎已停止。"],
  health_unreachable: ["The service cannot be reached. Trying again …", "无法连接服务，正在重试……"],
  health_ready: ["Ready", "就绪"],

  welcomeTitle: ["What would you like to ask?", "想问点什么？"],
  welcomeHint: ["Write below, or start with one of these.", "在下方输入，或从这些例子开始。"],
  suggestions: ["Examples", "示例"],
  conversation: ["Conversation", "对话"],
  roleLabel: ["System prompt", "系统提示词"],
  promptLabel: ["Message", "消息"],
  promptPlaceholder: ["Write a message", "输入消息"],
  send: ["Send (Enter)", "发送（Enter）"],
  stop: ["Stop (Esc)", "停止（Esc）"],
  jumpToLatest: ["Jump to the latest", "跳到最新"],

  you: ["You", "你"],
  copy: ["Copy", "复制"],
  copied: ["Copied", "已复制"],
  copyCode: ["Copy code", "复制代码"],
  regenerate: ["Answer again", "重新回答"],
  retry: ["Try again", "重试"],
  answering: ["Answering", "正在回答"],
  answered: ["The answer is complete", "回答完毕"],
  waiting: [
    "The model is still starting. Your message will be sent as soon as it is ready.",
    "模型仍在启动，就绪后会立即发送你的消息。",
  ],
  stopped: ["Stopped by you; the answer is incomplete.", "已由你停止，回答不完整。"],
  cut: [
    "Cut at the token limit: the answer is incomplete. The settings and the model's context set the limit.",
    "已达到 token 上限，回答在此截断。上限由设置和模型上下文长度决定。",
  ],
  empty: ["The model gave an empty answer.", "模型给出了空回答。"],
  error_unreachable: ["The service cannot be reached. Is it still running?", "无法连接服务，它还在运行吗？"],
  error_broken: ["The connection broke before the answer was complete.", "连接中断，回答未完成。"],
  error_locked: ["The service asks for a valid API key: enter it in the settings.", "服务需要有效的 API 密钥，请在设置中填写。"],
  error_refused: ["The service reported an error: {message}", "服务报告错误：{message}"],

  ttft: ["TTFT", "TTFT"],
  ttftTitle: ["Time to the first token: from sending to the first text of the answer", "首个 token 时间：从发送到回答出现第一个字"],
  rateTitle: ["Tokens per second after the first one", "首个 token 之后每秒生成的 token 数"],
  tokens: ["{count} tokens", "{count} 个 token"],
  seconds: ["{value} s", "{value} 秒"],
  milliseconds: ["{value} ms", "{value} 毫秒"],

  systemPrompt: ["System prompt", "系统提示词"],
  systemPlaceholder: ["Who the model is and how it should answer", "模型的角色和回答方式"],
  systemHint: ["Goes before every conversation; empty for none.", "置于每个对话之前；留空则不使用。"],
  temperature: ["Temperature", "温度 temperature"],
  temperatureHint: ["0 always takes the likeliest token; higher is more varied.", "0 表示总取最可能的 token；越高越多样。"],
  topP: ["Top p", "核采样 top_p"],
  topPHint: ["Chooses among the likeliest tokens that together reach this probability.", "只在累计概率达到该值的最可能 token 中选取。"],
  maxTokens: ["Longest answer, in tokens", "回答长度上限（token）"],
  maxTokensHint: ["Empty: as long as the model's context allows.", "留空：以模型上下文长度为限。"],
  maxTokensHintContext: [
    "Empty: as far as the context of {context} tokens allows.",
    "留空：以 {context} 个 token 的上下文为限。",
  ],
  noLimit: ["no limit set", "未设上限"],
  seed: ["Seed", "随机种子 seed"],
  seedHint: ["With the same seed, the same question gives the same answer, byte for byte.", "种子相同，同样的问题得到逐字节相同的回答。"],
  noSeed: ["a new one each time", "每次不同"],
  apiKey: ["API key", "API 密钥"],
  apiKeyHint: ["Only where the service asks for one. Kept in this browser.", "仅在服务要求时填写，保存在此浏览器中。"],
  resetSettings: ["Restore the defaults", "恢复默认值"],
};

const LANGUAGES = ["en", "zh"];
let language = read("language", null);
if (!LANGUAGES.includes(language)) language = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";

export function currentLanguage() {
  return language;
}

export function switchLanguage() {
  language = language === "en" ? "zh" : "en";
  write("language", language);
}

/** The text of `key` in the chosen language, its {name} places filled from `values`. */
export function t(key, values = {}) {
  return TEXTS[key][LANGUAGES.indexOf(language)].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Writes the texts that the markup asks for, and the language itself, into the document. */
export function translatePage() {
  document.documentElement.lang = t("locale");
  for (const node of document.querySelectorAll("[data-i18n]")) node.textContent = t(node.dataset.i18n);
  for (const node of document.querySelectorAll("[data-i18n-placeholder]")) node.placeholder = t(node.dataset.i18nPlaceholder);
  for (const node of document.querySelectorAll("[data-i18n-label]")) setLabel(node, t(node.dataset.i18nLabel));
}

/** The name that assistive technology reads; on a button, which shows only an icon, also the tooltip. */
export function setLabel(node, text) {
  node.setAttribute("aria-label", text);
  if (node.localName === "button") node.title = text;
}
