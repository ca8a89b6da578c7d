// Keeps the newest text in view, but only for a reader who is already there.

const NEAR = 48; // pixels from the end that still count as being at the end

const scroller = document.getElementById("scroller");
const jump = document.getElementById("jump");

function isAtEnd() {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
}

export function scrollToEnd() {
  scroller.scrollTop = scroller.scrollHeight;
}

/** Runs `change`, then follows the end if the reader was at the end before it. */
export function followingTheEnd(change) {
  const follow = isAtEnd();
  change();
  if (follow) scrollToEnd();
  jump.hidden = isAtEnd();
}

export function startScroll() {
  scroller.addEventListener("scroll", () => (jump.hidden = isAtEnd()), { passive: true });
  jump.addEventListener("click", scrollToEnd);
  // The composer grows and keyboards open: what was at the end stays at the end.
  let wasAtEnd = true;
  scroller.addEventListener("scroll", () => (wasAtEnd = isAtEnd()), { passive: true });
  new ResizeObserver(() => wasAtEnd && scrollToEnd()).observe(scroller);
}
