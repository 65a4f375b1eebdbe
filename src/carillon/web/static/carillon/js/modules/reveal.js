// The current tab is brought into view on a narrow screen.

export default function reveal(tabs) {
  const current = tabs.querySelector("[aria-current]");
  if (current) tabs.scrollLeft = current.offsetLeft - 16;
}
