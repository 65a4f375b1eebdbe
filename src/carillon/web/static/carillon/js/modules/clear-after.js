// A form whose fields are emptied once htmx has sent it.

export default function clearAfter(form) {
  form.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) form.reset();
  });
}
