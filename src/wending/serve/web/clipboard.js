// Copies text, and shows on the button that it did.
import { t } from "./i18n.js";
import { setIcon } from "./dom.js";

async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // A page served over plain HTTP from another machine has no clipboard API: the older way is all there is.
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("the browser refused to copy");
}

/** Makes `button` copy what `textOf()` gives at the time of the click. */
export function copiesOnClick(button, textOf) {
  button.addEventListener("click", async () => {
    try {
      await copyText(textOf());
    } catch {
      return; // refused by the browser: the button does not claim success
    }
    setIcon(button, "check");
    document.getElementById("announcement").textContent = t("copied");
    setTimeout(() => setIcon(button, "copy"), 1500);
  });
}
