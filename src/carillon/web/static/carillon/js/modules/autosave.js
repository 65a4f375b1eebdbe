// A form that saves itself: shortly after each change, and when the page is left. What could not be saved (session over,
// no network) waits in this browser and comes back when the page is opened again.

const DELAY_MS = 1200;

export default function autosave(form) {
  const status = document.getElementById(form.dataset.status);
  const key = `carillon:unsaved:${form.dataset.save}`;
  let timer = 0;
  let running = null; // the save on its way, a promise
  let sent = null; // what it carries
  let dirty = false;
  let stopped = false;

  restore();
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.addEventListener("submit", submitted, { capture: true }); // before the other modules of this form
  addEventListener("pagehide", () => {
    if (stopped || !(dirty || running)) return;
    keep(); // forgotten at the next visit if the answer still came in time
    send({ keepalive: true });
  });

  function soon(event) {
    if (event.target.hasAttribute("data-unsaved")) return;
    dirty = true;
    clearTimeout(timer);
    timer = setTimeout(save, DELAY_MS);
  }

  /** A form sent while it saves itself waits for the answer: its version would be the one before. */
  function submitted(event) {
    clearTimeout(timer);
    if (running && !stopped) {
      event.preventDefault();
      event.stopImmediatePropagation();
      stopped = true;
      running.then(() => form.requestSubmit(event.submitter));
      return;
    }
    stopped = true;
    keep();
  }

  function save() {
    if (!running && !stopped) {
      running = saving().finally(() => {
        running = null;
        if (dirty && !stopped) timer = setTimeout(save, DELAY_MS);
      });
    }
  }

  async function saving() {
    dirty = false;
    sent = snapshot();
    say("saving");
    const answer = await send({});
    if (!answer) {
      dirty = true;
      keep();
      say("failed");
    } else if (answer.conflict) {
      stopped = true;
      keep();
      say("conflict");
    } else {
      sessionStorage.removeItem(key);
      for (const input of document.querySelectorAll("input[name=version]")) input.value = answer.version;
      say(answer.problem ? "problem" : "saved", answer.problem ?? answer.at);
    }
  }

  async function send(options) {
    try {
      const body = new FormData(form);
      for (const [name, value] of [...body]) if (value instanceof File) body.delete(name); // files leave with a button
      const response = await fetch(form.dataset.save, {
        method: "POST",
        body,
        headers: { Accept: "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
        redirect: "error",
        ...options,
      });
      if (response.status === 409) return { conflict: true };
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }

  function values() {
    return [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrfmiddlewaretoken");
  }

  /** What is typed, without the version. */
  function snapshot() {
    return JSON.stringify(values().filter(([name]) => name !== "version"));
  }

  function keep() {
    sessionStorage.setItem(key, JSON.stringify({ values: values(), sent }));
  }

  function restore() {
    const stored = JSON.parse(sessionStorage.getItem(key) ?? "null");
    sessionStorage.removeItem(key);
    if (!stored) return;
    const version = stored.values.find(([name]) => name === "version")?.[1];
    // Another version on the page: our own last save arrived after all, or someone edited elsewhere.
    if (version !== form.elements.version.value && stored.sent !== snapshot()) return;
    const kept = new Map();
    for (const [name, value] of stored.values) kept.set(name, [...(kept.get(name) ?? []), value]);
    let changed = false;
    for (const element of form.elements) {
      if (!element.name || element.type === "hidden" || element.type === "file") continue;
      if (element.type === "checkbox" || element.type === "radio") {
        const checked = (kept.get(element.name) ?? []).includes(element.value);
        changed ||= element.checked !== checked;
        element.checked = checked;
        continue;
      }
      const value = kept.get(element.name)?.shift(); // fields of one name come in their order
      if (value !== undefined && element.value !== value) {
        element.value = value;
        changed = true;
      }
    }
    if (changed) {
      form.dispatchEvent(new InputEvent("input", { bubbles: true }));
      soon({ target: form });
    }
  }

  function say(state, detail) {
    if (!status) return;
    status.dataset.state = state;
    for (const line of status.children) line.hidden = line.dataset.when !== state;
    const slot = status.querySelector(`[data-when="${state}"] [data-detail]`);
    if (slot && detail) slot.textContent = detail;
  }
}
