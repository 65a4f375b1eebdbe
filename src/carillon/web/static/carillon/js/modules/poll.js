// On an element with an id that htmx refreshes by itself (hx-trigger="every 2s"): no request while the tab is hidden, and
// slower and slower while nothing changes. The server stops the polling by answering a fragment without hx-trigger.

const LONGEST_MS = 15000;
const states = new Map(); // by id: the element itself may be replaced by each answer

export default function poll(element) {
  const state = states.get(element.id) ?? { asked: 0, wait: 0, seen: "" };
  states.set(element.id, state);

  element.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target !== element) return;
    const now = performance.now();
    if (document.hidden || now - state.asked < state.wait) event.preventDefault();
    else state.asked = now;
  });

  element.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target !== element) return;
    const isSame = event.detail.serverResponse === state.seen;
    state.seen = event.detail.serverResponse;
    state.wait = isSame ? Math.min(LONGEST_MS, state.wait * 1.5 || 2000) : 0;
    if (isSame) event.detail.shouldSwap = false;
  });
}
