// The settings of a request: what they are, where they are kept, and the panel that changes them.
import { read, write } from "./storage.js";
import { t } from "./i18n.js";

const DEFAULTS = { system: "", temperature: 0.7, topP: 0.9, maxTokens: null, seed: null, apiKey: "" };
const TEXTS = ["system", "apiKey"]; // the others are numbers

const settings = { ...DEFAULTS, ...read("settings", {}) };
const form = document.getElementById("settings-form");
const dialog = document.getElementById("settings");
let changed = () => {};

export function systemPrompt() {
  return settings.system.trim();
}

export function setSystemPrompt(text) {
  settings.system = text;
  keep();
}

export function apiKey() {
  return settings.apiKey.trim();
}

/** The sampling fields of a request body; those left empty are not sent, so that the service's own defaults hold. */
export function samplingFields() {
  const fields = { temperature: settings.temperature, top_p: settings.topP };
  if (settings.maxTokens !== null) fields.max_tokens = settings.maxTokens;
  if (settings.seed !== null) fields.seed = settings.seed;
  return fields;
}

function keep() {
  write("settings", settings);
  showValues();
  changed();
}

function showValues() {
  for (const [name, value] of Object.entries(settings)) {
    const input = form.elements[name];
    if (input !== document.activeElement) input.value = value ?? "";
    const output = form.querySelector(`output[for="${input.id}"]`);
    if (output) output.value = value.toFixed(2);
  }
}

function takeInput(input) {
  if (!input.checkValidity()) return; // the field shows that it is wrong; the last good value stays in force
  if (TEXTS.includes(input.name)) settings[input.name] = input.value;
  else settings[input.name] = input.value === "" ? null : Number(input.value);
  keep();
}

/** `onChange` hears of every change of a setting. */
export function startSettings(onChange) {
  changed = onChange;
  showValues();
  form.addEventListener("input", (event) => takeInput(event.target));
  // A value that was refused must not look as if it held: leaving the field brings back the one in force.
  form.addEventListener("focusout", ({ target }) => {
    if (target.name in settings && !target.checkValidity()) target.value = settings[target.name] ?? "";
  });
  document.getElementById("open-settings").addEventListener("click", () => dialog.showModal());
  document.getElementById("reset-settings").addEventListener("click", () => {
    Object.assign(settings, DEFAULTS, { apiKey: settings.apiKey }); // whoever resets a slider means to stay in
    keep();
  });
  // A click on the backdrop lands on the dialog itself.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}

/** Facts that only the served model knows: shown where they matter for a choice. */
export function showModelFacts(model) {
  document.getElementById("max-tokens-hint").textContent = model?.maxContext
    ? t("maxTokensHintContext", { context: model.maxContext.toLocaleString(t("locale")) })
    : t("maxTokensHint");
  document.getElementById("model-facts").textContent = model ? [model.id, model.precision].filter(Boolean).join(" · ") : "";
}
