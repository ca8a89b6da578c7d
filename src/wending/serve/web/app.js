// Puts the page together: which model answers, the conversation, the composer, the settings, language and theme.
import { Chat } from "./chat.js";
import { MessageView } from "./message-view.js";
import { SUGGESTIONS, isSuggestedRole } from "./suggestions.js";
import { currentLanguage, setLabel, switchLanguage, t, translatePage } from "./i18n.js";
import { currentTheme, nextTheme } from "./theme.js";
import { element } from "./dom.js";
import { focusPrompt, setBusy, startComposer } from "./composer.js";
import { followingTheEnd, showingTheEnd, showingTheStart, startScroll } from "./scroll.js";
import { lookForService, showServedModel, showServiceStatus } from "./service-status.js";
import { setSystemPrompt, startSettings, systemPrompt } from "./settings.js";

const byId = (id) => document.getElementById(id);
const chat = new Chat({
  onChange: scheduleUpdate,
  onModel: (model) => (model ? showServedModel(model) : lookForService()),
});
let views = [];
let updateScheduled = false;
let wasBusy = false;

/** Many tokens may come between two frames: they are shown together. */
function scheduleUpdate() {
  if (updateScheduled) return;
  updateScheduled = true;
  requestAnimationFrame(() => {
    updateScheduled = false;
    if (chat.messages.length) followingTheEnd(updateConversation);
    else showingTheStart(updateConversation);
  });
}

function updateConversation() {
  const { messages } = chat;
  byId("welcome").hidden = messages.length > 0;
  updateRole();
  // Views are kept as long as the message in their place is the same object.
  let same = 0;
  while (same < views.length && views[same].message === messages[same]) same += 1;
  for (const view of views.splice(same)) view.node.remove();
  const fresh = messages.slice(same).map((message) => new MessageView(message, retry));
  views.push(...fresh);
  byId("conversation").append(...fresh.map((view) => view.node));
  // The new ones and the one before them, which is no longer the last; otherwise the last, which may be growing.
  const firstToUpdate = Math.max(Math.min(same, messages.length) - 1, 0);
  views.slice(firstToUpdate).forEach((view, index) => view.update(firstToUpdate + index === messages.length - 1));
  if (chat.busy !== wasBusy) announceBusy();
}

function announceBusy() {
  wasBusy = chat.busy;
  setBusy(wasBusy);
  if (wasBusy) byId("announcement").textContent = t("answering");
  else if (chat.messages.at(-1)?.status === "done") byId("announcement").textContent = t("answered");
}

function updateRole() {
  byId("role").hidden = !systemPrompt();
  byId("role-text").textContent = systemPrompt();
}

function showSuggestions() {
  byId("suggestions").replaceChildren(...SUGGESTIONS[currentLanguage()].map((suggestion) => {
    const button = element("button", { type: "button", class: "suggestion" },
      element("span", { class: "suggestion-title" }, suggestion.title),
      element("span", { class: "suggestion-prompt" }, suggestion.prompt));
    button.addEventListener("click", () => {
      if (suggestion.system) setSystemPrompt(suggestion.system);
      send(suggestion.prompt);
    });
    return element("li", {}, button);
  }));
}

function send(text) {
  chat.send(text);
  showingTheEnd(updateConversation);
  focusPrompt();
}

function retry() {
  chat.retry();
  focusPrompt();
}

function newChat() {
  if (isSuggestedRole(systemPrompt())) setSystemPrompt("");
  chat.clear();
  byId("announcement").textContent = "";
  focusPrompt();
}

/** Everything that depends on the language or the theme. */
function showPreferences() {
  translatePage();
  byId("language").textContent = t("otherLanguage");
  byId("language").lang = currentLanguage() === "en" ? "zh-CN" : "en";
  setLabel(byId("language"), t("switchLanguage"));
  setLabel(byId("theme"), t(`theme_${currentTheme()}`));
  byId("theme-icon").setAttribute("href", `/web/icons.svg#${currentTheme()}`);
  showServiceStatus();
  showSuggestions();
  for (const view of views) view.update(view === views.at(-1));
}

startComposer({ onSend: send, onStop: () => chat.stop() });
startSettings(updateRole);
startScroll();
byId("new-chat").addEventListener("click", newChat);
byId("language").addEventListener("click", () => {
  switchLanguage();
  showPreferences();
});
byId("theme").addEventListener("click", () => {
  nextTheme();
  showPreferences();
});
window.addEventListener("pagehide", () => chat.leave());

showPreferences();
if (chat.messages.length) showingTheEnd(updateConversation);
else showingTheStart(updateConversation);
lookForService();
