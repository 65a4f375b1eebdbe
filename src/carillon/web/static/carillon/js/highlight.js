// The coloured copy of the message that lies under the textarea: fields, and characters outside GSM 7-bit.

import { pieces } from "./compose.js";
import { replacementOf } from "./segments.js";

/** @param {HTMLElement} under @param rules a Composer @param {string[]} pink columns with empty rows */
export function paint(under, state, rules, pink) {
  const nodes = [];
  for (const part of pieces(state.message)) {
    if (typeof part === "string") nodes.push(...letters(part, state, rules));
    else nodes.push(field(part, rules, pink));
  }
  nodes.push("\n"); // a last line break takes no room in a div otherwise
  under.replaceChildren(...nodes);
}

function field(part, rules, pink) {
  const mark = document.createElement("mark");
  mark.className = "token";
  mark.textContent = part.source;
  if (!rules.isKnown(part.name)) mark.classList.add("bad");
  else if (pink.includes(rules.data.columns[rules.index(part.name)])) mark.classList.add("pink");
  return mark;
}

function letters(text, state, rules) {
  const nodes = [];
  let plain = "";
  for (const character of text) {
    const kind = kindOf(character, state, rules);
    if (kind === null) {
      plain += character;
      continue;
    }
    if (plain) nodes.push(plain);
    plain = "";
    const mark = document.createElement("mark");
    mark.className = kind;
    mark.textContent = character;
    nodes.push(mark);
  }
  if (plain) nodes.push(plain);
  return nodes;
}

/** null: GSM 7-bit; "soft": will be replaced; "ucs2": forces UCS-2; "bad": refused. */
function kindOf(character, state, rules) {
  const { tables } = rules;
  if (tables.basic.has(character) || tables.extension.has(character)) return null;
  const plain = replacementOf(character, tables);
  if (state.replaceGsm7 && plain !== undefined) return "soft";
  return state.allowUcs2 ? "ucs2" : "bad";
}
