// Light, dark, or as the system has it. The colours themselves stand in theme.css, chosen by `color-scheme`.
import { read, write } from "./storage.js";

const CHOICES = ["auto", "light", "dark"];

const stored = read("theme", "auto");
let theme = CHOICES.includes(stored) ? stored : "auto";
document.documentElement.dataset.theme = theme;

export function currentTheme() {
  return theme;
}

export function nextTheme() {
  theme = CHOICES[(CHOICES.indexOf(theme) + 1) % CHOICES.length];
  document.documentElement.dataset.theme = theme;
  write("theme", theme);
}
