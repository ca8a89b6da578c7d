// Keeps the newest text in view, but only for a reader who is already there.

const NEAR = 48; // pixels from the end that still count as being at the end

const scroller = document.getElementById("scroller");
const jump = document.getElementById("jump");
let hasEnd = false; // the welcome has no end that anyone would want to follow
let atEnd = false;

function look() {
  atEnd = hasEnd && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
  jump.hidden = !hasEnd || atEnd;
}

function scrollToEnd() {
  scroller.scrollTop = scroller.scrollHeight;
}

/** Runs `change`, then shows the first line of what there is. */
export function showingTheStart(change) {
  change();
  hasEnd = false;
  scroller.scrollTop = 0;
  look();
}

/** Runs `change`, then shows the last line. */
export function showingTheEnd(change) {
  change();
  hasEnd = true;
  scrollToEnd();
  look();
}

/** Runs `change`, then shows the last line if it was in view before. */
export function followingTheEnd(change) {
  change();
  if (atEnd) scrollToEnd();
  look();
}

export function startScroll() {
  scroller.addEventListener("scroll", look, { passive: true });
  jump.addEventListener("click", scrollToEnd);
  // The composer grows and keyboards open: what was at the end stays at the end.
  new ResizeObserver(() => atEnd && scrollToEnd()).observe(scroller);
}
