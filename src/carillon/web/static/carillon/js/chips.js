// Field chips: click, Enter and drag all insert the field where the caret is.
// execCommand is deprecated but the only way that keeps Ctrl+Z working in a textarea (setRangeText does not).

export function insertText(input, text) {
  input.focus();
  if (!document.execCommand("insertText", false, text)) {
    input.setRangeText(text, input.selectionStart, input.selectionEnd, "end");
    input.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
}

/** Replace the whole text as one step that Ctrl+Z undoes. */
export function replaceText(input, text) {
  input.focus();
  input.select();
  insertText(input, text);
}

/** @param {ParentNode} root holds [data-insert] buttons @param {() => HTMLElement} target gives the field written to */
export function connectChips(root, target) {
  for (const chip of root.querySelectorAll("[data-insert]")) {
    chip.addEventListener("click", () => {
      const input = chip.dataset.into ? document.getElementById(chip.dataset.into) : target();
      insertText(input, chip.dataset.insert);
    });
    chip.addEventListener("dragstart", (event) => {
      event.dataTransfer.setData("text/plain", chip.dataset.insert);
      event.dataTransfer.effectAllowed = "copy";
    });
  }
}
