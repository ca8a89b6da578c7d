// The field where a message is written: it grows with the text, Enter sends it, and an input method is left in peace.

const form = document.getElementById("composer");
const prompt = document.getElementById("prompt");
const send = document.getElementById("send");
const stop = document.getElementById("stop");
let busy = false;

function resize() {
  prompt.style.height = "auto";
  prompt.style.height = `${prompt.scrollHeight}px`; // the style sheet sets the most it may take
}

function updateButtons() {
  send.hidden = busy;
  stop.hidden = !busy;
  send.disabled = !prompt.value.trim();
}

/** While an answer is being made the send button is a stop button, and Enter waits. */
export function setBusy(value) {
  const focusWasHere = document.activeElement === send || document.activeElement === stop;
  busy = value;
  updateButtons();
  if (focusWasHere) prompt.focus(); // a button that vanishes must not take the focus with it
}

export function focusPrompt() {
  prompt.focus();
}

export function startComposer({ onSend, onStop }) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = prompt.value.trim();
    if (busy || !text) return;
    prompt.value = "";
    resize();
    updateButtons();
    onSend(text);
  });
  prompt.addEventListener("input", () => {
    resize();
    updateButtons();
  });
  prompt.addEventListener("keydown", (event) => {
    // Enter that picks a candidate of an input method belongs to it. Safari says so only by key code 229.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    form.requestSubmit();
  });
  stop.addEventListener("click", onStop);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && busy && !event.isComposing && !document.querySelector("dialog[open]")) onStop();
  });
  window.addEventListener("resize", resize);
  updateButtons();
}
