// Keys of who presents: what a point is longer than the screen is scrolled by the usual keys, and the usual keys turn the agenda.
const MAIN = '[data-testid="stMain"]';
const POINTS = ".st-key-review_at input";
// Here somebody writes.
const WRITING = 'input:not([type="radio"]):not([type="checkbox"]), textarea, [contenteditable="true"], [role="dialog"]';
// Here the usual keys have a meaning of their own as well.
const TAKEN = `${WRITING}, select, canvas, [role="combobox"], [role="listbox"], [role="grid"]`;

function turn(find) {
  const points = [...document.querySelectorAll(POINTS)];
  const at = points.findIndex((one) => one.checked);
  const next = points[find(at, points.length)];
  if (next && !next.checked) next.click();
}

const KEYS = {
  PageUp: (at) => at - 1,
  PageDown: (at) => at + 1,
  ArrowLeft: (at) => at - 1,
  ArrowRight: (at) => at + 1,
  Home: () => 0,
  End: (at, n) => n - 1,
};

export default function ({ data, parentElement }) {
  parentElement.hidden = true;
  const main = document.querySelector(MAIN);
  if (!main) return undefined;
  main.tabIndex = -1;
  main.style.outline = "none";
  if (main.dataset.point !== data.point) {
    main.dataset.point = data.point;
    main.scrollTop = 0;
  }
  // Without a focus inside, the arrows and the space bar scroll nothing.
  const held = document.activeElement;
  if (!held || held === document.body) main.focus({ preventScroll: true });
  const hear = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.isComposing) return;
    const find = KEYS[event.key];
    // What a presenter sends turns the agenda also when a table or the map was clicked last.
    const taken = event.key.startsWith("Page") ? WRITING : TAKEN;
    if (!find || (event.target instanceof Element && event.target.closest(taken))) return;
    event.preventDefault();
    event.stopPropagation();
    turn(find);
  };
  // Called again at every run of the page: the one before must hear no more.
  window.gridmapAgenda?.abort();
  const heard = new AbortController();
  window.gridmapAgenda = heard;
  document.addEventListener("keydown", hear, { capture: true, signal: heard.signal });
  return () => heard.abort();
}
