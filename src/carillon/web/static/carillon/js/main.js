// Starts one module per `data-module` attribute: `data-module="copy"` imports ./modules/copy.js and calls its default export
// with the element. Several names are separated by spaces. Elements that htmx brings in are started as they arrive.

const started = new WeakMap();

async function start(element) {
  const already = started.get(element) ?? new Set();
  started.set(element, already);
  for (const name of element.dataset.module.split(/\s+/).filter(Boolean)) {
    if (already.has(name)) continue;
    already.add(name);
    const module = await import(`./modules/${name}.js`);
    module.default(element);
  }
}

function scan(root) {
  if (root.matches?.("[data-module]")) start(root);
  root.querySelectorAll?.("[data-module]").forEach(start);
}

scan(document);
document.addEventListener("htmx:load", (event) => scan(event.detail.elt));

// An answer that is a whole sign-in page, or an error, never replaces a part of this one.
document.addEventListener("htmx:beforeSwap", (event) => {
  const status = event.detail.xhr.status;
  if (status === 409 || status === 422) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
