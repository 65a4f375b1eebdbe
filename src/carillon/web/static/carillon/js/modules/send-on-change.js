// A form that is sent as soon as a choice is made.

export default function sendOnChange(form) {
  form.addEventListener("change", () => form.requestSubmit());
}
