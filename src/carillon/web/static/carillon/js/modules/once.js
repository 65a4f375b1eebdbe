// A form that is sent once: a second click while the first is on its way does nothing.

export default function once(form) {
  let isSent = false;
  form.addEventListener("submit", (event) => {
    if (isSent) {
      event.preventDefault();
      return;
    }
    isSent = true;
    form.querySelectorAll("button[type=submit], button:not([type])").forEach((button) => {
      button.setAttribute("aria-disabled", "true");
    });
  });
  addEventListener("pageshow", () => {
    isSent = false;
    form.querySelectorAll("button").forEach((button) => button.removeAttribute("aria-disabled"));
  });
}
