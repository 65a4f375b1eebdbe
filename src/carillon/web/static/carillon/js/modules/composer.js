// The composer: counts and highlights at each keystroke, asks the server for the truth a quarter of a second later.

import { connectChips, replaceText } from "../chips.js";
import { Composer } from "../compose.js";
import { paint } from "../highlight.js";

const ASK_MS = 250;
const SAY_MS = 1200; // a screen reader hears the counter once typing pauses

const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

export default function composer(form) {
  const data = JSON.parse(document.getElementById("composer-data").textContent);
  const message = document.getElementById("id_message");
  const under = document.getElementById("editor-under");
  const preview = document.getElementById("preview");
  const rules = data.renderer === "BASIC" ? new Composer(data) : null;
  let asking = 0;
  let saying = 0;

  function state() {
    const defaults = {};
    for (const input of form.querySelectorAll("[data-default-for]")) {
      if (input.value) defaults[input.dataset.defaultFor] = input.value;
    }
    return {
      message: message.value,
      sender: form.elements.sender.value.trim(),
      allowUcs2: form.elements.allow_ucs2.checked,
      replaceEmoji: form.elements.auto_replace_emoji.checked,
      replaceGsm7: form.elements.auto_replace_gsm7.checked,
      defaults,
    };
  }

  function show() {
    const now = state();
    form.elements.auto_replace_emoji.disabled = !now.allowUcs2;
    askForDefaults();
    if (rules) {
      paint(under, now, rules, data.pink);
      showCount(rules.worstCase(now));
    } else {
      under.textContent = now.message;
    }
    fit();
  }

  // A default is asked only for fields the text, or a preview's, names.
  function askForDefaults() {
    const box = document.getElementById("defaults");
    if (!box) return;
    const texts = [message, ...form.querySelectorAll("[data-takes-fields]")].map((input) => folded(input.value)).join(" ");
    let asked = 0;
    for (const input of box.querySelectorAll("[data-default-for]")) {
      const name = folded(input.dataset.defaultFor);
      const others = Object.keys(data.builtins).filter((usual) => data.builtins[usual].includes(name));
      const isUsed = [name, ...others].some((spelling) => texts.includes(spelling));
      input.closest(".field").toggleAttribute("data-unused", !isUsed);
      asked += isUsed;
    }
    box.hidden = asked === 0;
  }

  function refresh() {
    show();
    clearTimeout(asking);
    asking = setTimeout(() => window.htmx.trigger(preview, "refresh"), ASK_MS);
  }

  function showCount(found) {
    const counter = document.getElementById("counter");
    counter.querySelector("[data-segments]").textContent = found.segments;
    counter.querySelector("[data-units]").textContent = `${found.units}/${found.capacity}`;
    counter.querySelector("[data-ucs2]").hidden = found.encoding !== "UCS2";
    counter.classList.toggle("is-over", found.isTooLong || found.isRefused || found.unknown.length > 0);
    const bar = counter.querySelector("progress");
    bar.max = found.capacity;
    bar.value = Math.min(found.units, found.capacity);
    clearTimeout(saying);
    saying = setTimeout(() => {
      document.getElementById("counter-live").textContent = counter.querySelector("[data-spoken]").textContent;
    }, SAY_MS);
  }

  function fit() {
    if (CSS.supports("field-sizing", "content")) return;
    message.style.height = "auto"; // set by script: allowed by the policy, unlike a style attribute
    message.style.height = `${message.scrollHeight + 2}px`;
  }

  const follow = () => {
    under.scrollTop = message.scrollTop;
  };
  message.addEventListener("scroll", follow);
  new ResizeObserver(follow).observe(message);
  form.addEventListener("input", refresh);
  form.addEventListener("change", refresh);
  document.getElementById("id_row")?.addEventListener("input", refresh);
  for (const button of document.querySelectorAll("[data-step-row]")) {
    button.addEventListener("click", () => {
      const row = document.getElementById("id_row");
      row.value = Math.min(Math.max(Number(row.value) + Number(button.dataset.stepRow), 0), Number(row.max));
      refresh();
    });
  }
  for (const kind of ["dragenter", "dragleave", "drop"]) {
    message.addEventListener(kind, () => message.parentElement.classList.toggle("is-over", kind === "dragenter"));
  }

  // A browser leaves what was dropped selected: the next chip would take its place.
  message.addEventListener("drop", () => setTimeout(() => {
    message.focus();
    message.setSelectionRange(message.selectionEnd, message.selectionEnd);
  }));

  let target = message;
  form.addEventListener("focusin", (event) => {
    if (event.target === message || event.target.hasAttribute("data-takes-fields")) target = event.target;
  });
  connectChips(document.getElementById("chips") ?? form, () => target);

  // One click replaces a character everywhere in the text; Ctrl+Z brings it back.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-replace]");
    if (!button) return;
    const pairs = JSON.parse(button.dataset.replace);
    let text = message.value;
    for (const [character, plain] of pairs) text = text.replaceAll(character, plain);
    if (text !== message.value) replaceText(message, text);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-use-template]");
    if (!button) return;
    replaceText(message, JSON.parse(button.dataset.useTemplate));
    button.closest("dialog")?.close();
    message.focus();
  });

  show(); // the server has just said the rest
}
