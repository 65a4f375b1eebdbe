// On a <dialog>: opens when an element with data-opens="its id" is clicked, closes on [data-close] or a click outside.
// Forms that need confirmation keep working without scripts: the opener is then an ordinary link or button.

export default function dialog(element) {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest(`[data-opens="${element.id}"]`);
    if (!opener) return;
    event.preventDefault();
    element.showModal();
  });
  element.addEventListener("click", (event) => {
    if (event.target === element || event.target.closest("[data-close]")) element.close();
  });
  element.addEventListener("keydown", (event) => {
    // Fields that stand in no form: Enter presses the last button, as it would there.
    if (event.key !== "Enter" || !event.target.matches("input") || event.target.form) return;
    event.preventDefault();
    element.querySelector(".dialog-foot .primary")?.click();
  });
  if (element.hasAttribute("data-open-now")) element.showModal();
}
