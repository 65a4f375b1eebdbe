// A button that copies the text of the element named by data-copy, and says so.

export default function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const label = button.querySelector("[data-label]") ?? button;
  const before = label.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
    label.textContent = button.dataset.done;
    setTimeout(() => { label.textContent = before; }, 2500);
  });
}
