// Keys of who presents: what a point is longer than the screen is scrolled by the usual keys, and the usual keys turn the agenda.
const MAIN = '[data-testid="stMain"]';
const POINTS = ".st-key-review_at input";
// Here keys have a meaning of their own.
const TAKEN = 'input:not([type="radio"]):not([type="checkbox"]), textarea, select, canvas, [contenteditable="true"], [role="combobox"], [role="listbox"], [role="grid"], [role="dialog"]';

function turn(find) {
  const points = [...document.querySelectorAll(POINTS)];
  const at = points.findIndex((one) => one.checked);
  const next = points[find(at, points.length)];
  if (next && !next.checked) next.click();
}

const KEYS = {
  ArrowLeft: (at) => at - 1,
  ArrowRight: (at) => at + 1,
  Home: () => 0,
  End: (at, n) => n - 1,
};

export default function ({ data, parentElement }) {
  parentElement.hidden = true;
  const main = document.querySelector(MAIN);
  if (!main) return undefined;
  // Without a focus inside, the arrows and the space bar scroll nothing.
  const take = () => {
    const held = document.activeElement;
    if (!held || held === document.body) main.focus({ preventScroll: true });
  };
  main.tabIndex = -1;
  main.style.outline = "none";
  if (main.dataset.point !== data.point) {
    main.dataset.point = data.point;
    main.scrollTop = 0;
  }
  take();
  const hear = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.isComposing) return;
    const find = KEYS[event.key];
    if (!find || (event.target instanceof Element && event.target.closest(TAKEN))) return;
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
