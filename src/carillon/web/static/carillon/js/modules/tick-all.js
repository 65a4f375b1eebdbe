// A box that ticks every box named data-scope of the same table.

export default function tickAll(box) {
  box.addEventListener("change", () => {
    for (const other of box.closest("table").querySelectorAll(`input[name="${box.dataset.scope}"]`)) {
      other.checked = box.checked;
    }
    document.dispatchEvent(new CustomEvent("carillon:ticked"));
  });
}
