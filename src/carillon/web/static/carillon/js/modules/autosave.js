// A form that saves itself: shortly after each change, and when the page is left. What could not be saved (session over,
// no network) waits in this browser and comes back when the page is opened again.

const DELAY_MS = 1200;

export default function autosave(form) {
  const status = document.getElementById(form.dataset.status);
  const key = `carillon:unsaved:${form.dataset.save}`;
  let timer = 0;
  let running = null;
  let dirty = false;
  let stopped = false;

  restore();
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.addEventListener("submit", () => {
    stopped = true;
    clearTimeout(timer);
    keep();
  });
  addEventListener("pagehide", () => {
    if (stopped || !(dirty || running)) return;
    keep(); // forgotten at the next visit if the answer still came in time
    send({ keepalive: true });
  });

  function soon(event) {
    if (event.target.hasAttribute("data-unsaved")) return;
    dirty = true;
    clearTimeout(timer);
    timer = setTimeout(() => save({}), DELAY_MS);
  }

  async function save(options) {
    if (running || stopped) {
      return;
    }
    dirty = false;
    say("saving");
    running = send(options);
    const answer = await running;
    running = null;
    if (!answer) {
      dirty = true;
      keep();
      say("failed");
      return;
    }
    if (answer.conflict) {
      stopped = true;
      keep();
      say("conflict");
      return;
    }
    sessionStorage.removeItem(key);
    form.elements.version.value = answer.version;
    for (const other of document.querySelectorAll("input[name=version]")) other.value = answer.version;
    say(answer.problem ? "problem" : "saved", answer.problem ?? answer.at);
    form.dispatchEvent(new CustomEvent("carillon:saved", { bubbles: true, detail: answer }));
    if (dirty) save({});
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

  function keep() {
    const values = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrfmiddlewaretoken");
    sessionStorage.setItem(key, JSON.stringify(values));
  }

  function restore() {
    const stored = sessionStorage.getItem(key);
    sessionStorage.removeItem(key);
    if (!stored) return;
    const values = new Map(JSON.parse(stored));
    if (values.get("version") !== form.elements.version.value) return; // saved after all, or edited elsewhere
    let changed = false;
    for (const element of form.elements) {
      if (!element.name || element.type === "hidden" || element.type === "file") continue;
      if (element.type === "checkbox" || element.type === "radio") {
        const checked = values.get(element.name) === element.value || (element.type === "checkbox" && values.has(element.name));
        changed ||= element.checked !== checked;
        element.checked = checked;
      } else if (values.has(element.name) && element.value !== values.get(element.name)) {
        element.value = values.get(element.name);
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
