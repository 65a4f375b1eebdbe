// Date and time are shown for a deferred start only; the last button then waits for the page to say what it will do.

export default function when(form) {
  const later = form.querySelector("[data-when-later]");
  const show = () => {
    later.hidden = form.elements.when.value !== "later";
  };
  form.addEventListener("change", show);
  show();
}
