// localStorage, which may be switched off, full or hold what an older page wrote: reading then gives the fallback.

const PREFIX = "wending.";

export function read(name, fallback) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

export function write(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // The page works without memory; there is nothing a person could do about it here.
  }
}
