// Toasts go away by themselves, unless they offer an action, hold the focus or are being read with the pointer.

const PLAIN_MS = 6000;
const WITH_ACTION_MS = 12000;

function arm(toast) {
  const wait = toast.querySelector("form") ? WITH_ACTION_MS : PLAIN_MS;
  if (toast.classList.contains("error")) return;
  const leave = () => {
    if (toast.matches(":hover, :focus-within")) setTimeout(leave, 2000);
    else toast.remove();
  };
  setTimeout(leave, wait);
}

export default function toasts(region) {
  region.querySelectorAll(".toast").forEach(arm);
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) if (node.matches?.(".toast")) arm(node);
  }).observe(region, { childList: true });
  region.addEventListener("click", (event) => {
    event.target.closest("[data-close]")?.closest(".toast").remove();
  });
}
