// Which model answers, and how the service stands: looked for until it is ready, shown in the bar and below the composer.
import { health, pause, servedModel } from "./api.js";
import { showModelFacts } from "./settings.js";
import { t } from "./i18n.js";

const byId = (id) => document.getElementById(id);
let state = "connecting"; // or what api.js's health() says
let model; // as api.js's servedModel() describes it, while the service is ready
let looking = false;

/** Asks once a second until the service is ready, and shows meanwhile how it stands. */
export async function lookForService() {
  if (looking) return;
  looking = true;
  model = undefined;
  while (!model) {
    try {
      state = await health();
      if (state === "ready") model = await servedModel();
    } catch (error) {
      state = error.kind === "locked" ? "locked" : "unreachable"; // it changed between the two questions
    }
    showServiceStatus();
    if (!model) await pause(1000);
  }
  looking = false;
}

/** Another request has learnt which model answers. */
export function showServedModel(found) {
  state = "ready";
  model = found;
  showServiceStatus();
}

export function showServiceStatus() {
  byId("health").dataset.state = state;
  byId("health").title = t(`health_${state}`);
  byId("model-name").textContent = model?.id ?? t(`health_${state}`);
  byId("demo-badge").hidden = !model?.isDemo;
  byId("demo-badge").title = t("demoExplanation");
  byId("fine-print").textContent = t(model?.isDemo ? "demoExplanation" : "finePrint");
  showModelFacts(model);
}
