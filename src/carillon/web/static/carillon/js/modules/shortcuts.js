// Keyboard shortcuts: n new campaign, / search, g then c, l or r, ? help, Esc clears the search. Never while typing in a
// field; a person may turn them off in the profile, and this module is then not on the page (WCAG 2.1.4).

const CHORD_MS = 1200;

function isTyping(target) {
  return target.isContentEditable || target.matches("input, textarea, select");
}

export default function shortcuts(element) {
  const help = document.getElementById("shortcuts-help");
  const goes = JSON.parse(element.dataset.goes);
  let chordUntil = 0;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape" && event.target.matches("[data-search]")) {
      event.target.value = "";
      event.target.dispatchEvent(new Event("input", { bubbles: true }));
      event.target.blur();
      return;
    }
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const isChord = performance.now() < chordUntil;
    chordUntil = 0;
    if (isChord && goes[event.key]) {
      event.preventDefault();
      location.assign(goes[event.key]);
    } else if (event.key === "g") {
      chordUntil = performance.now() + CHORD_MS;
    } else if (event.key === "n") {
      location.assign(element.dataset.new);
    } else if (event.key === "/") {
      const search = document.querySelector("[data-search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    } else if (event.key === "?") {
      help.showModal();
    }
  });
}
