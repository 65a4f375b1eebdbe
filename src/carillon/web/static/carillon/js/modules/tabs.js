// On a phone the tabs scroll: the current one is brought into view.

export default function tabs(list) {
  const current = list.querySelector("[aria-current]");
  if (current) list.scrollLeft = current.offsetLeft - list.offsetLeft - 16;
}
