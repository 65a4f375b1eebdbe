// The worst case of a message, as carillon.domain.compose works it out: each field at its longest, in the worst encoding any
// row can force. Only the BASIC syntax; for the others the server's answer is waited for. A test runs both over thousands
// of texts: change them together.

import { foreignCharacters, isGsm, measure, measureAsUcs2, prepareTables, toGsm } from "./segments.js";

// Python's str.isspace and \s; JavaScript's \s differs.
const BLANK = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const WORD = "\\p{L}\\p{N}_";
const FIELD = new RegExp(`\\$\\{([^\${}\\n]*[^\${}${BLANK}][^\${}\\n]*)\\}`, "gu");
const EDGES = new RegExp(`^[${BLANK}]+|[${BLANK}]+$`, "gu");
const BLANKS = new RegExp(`[${BLANK}]+`, "gu");
const ENDS_BLANK = new RegExp(`[${BLANK}]$`, "u");
const ONLY_BLANK = new RegExp(`^[${BLANK}]*$`, "u");
const START = `(?<![${WORD}])`;
const END = `(?![${WORD}])`;
const S = `[${BLANK}]`;
const MENTION = new RegExp(
  `(?<!non )(?<!non-)${START}stop(?:${S}*sms)?${S}*(?:au|a|to|:|=|>|->)?${S}*\\p{Nd}{4,6}${END}` +
    `|${START}stop${S}*sms${END}|${START}desabo[${WORD}]*${S}*:?${S}*(?:par${S}+)?stop${END}` +
    `|${START}(?:envoyez|envoyer|repondez|repondre|tapez|send|reply)${S}+stop${END}|\\$\\{${S}*optout${S}*\\}`,
  "u",
);

const plain = (text) => text.normalize("NFKD").toLowerCase().replace(/\p{Mn}/gu, "");
const strip = (text) => text.replace(EDGES, "");

export function fold(name) {
  return strip(plain(strip(name)).replaceAll("œ", "oe").replaceAll("æ", "ae").replace(BLANKS, " "));
}

export const hasMention = (text) => MENTION.test(plain(text));

/** The pieces of a message: strings, and {name, source} for its fields. */
export function pieces(message) {
  const found = [];
  let start = 0;
  for (const match of message.matchAll(FIELD)) {
    if (match.index > start) found.push(message.slice(start, match.index));
    found.push({ name: strip(match[1]), source: match[0] });
    start = match.index + match[0].length;
  }
  if (start < message.length) found.push(message.slice(start));
  return found;
}

/** `data` is what the page sends (web/composer.py: browser_data). */
export class Composer {
  constructor(data) {
    this.data = data;
    this.tables = prepareTables(data.tables);
    this.exact = new Map();
    this.folded = new Map();
    data.columns.forEach((name, index) => {
      if (!this.exact.has(name)) this.exact.set(name, index);
      if (!this.folded.has(fold(name))) this.folded.set(fold(name), index);
    });
    const known = Object.keys(data.shortcuts).sort((a, b) => b.length - a.length);
    const escaped = known.map((shortcut) => shortcut.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
    this.shortcuts = new RegExp(`(?<![^${BLANK}()\\[\\].,!?…»«"'])(?:${escaped.join("|")})(?![${WORD}])`, "gu");
  }

  /** Column of a field, null when there is none. */
  index(name) {
    return this.exact.get(name) ?? this.folded.get(fold(name)) ?? this.builtin(fold(name));
  }

  builtin(folded) {
    if (folded === "mobile" && this.data.mobile !== null) return this.data.mobile;
    for (const name of this.data.builtins[folded] ?? []) {
      if (this.folded.has(name)) return this.folded.get(name);
    }
    return null;
  }

  isKnown(name) {
    return name.toLowerCase() in this.data.links || this.index(name) !== null;
  }

  withStop(message, sender) {
    const { stop } = this.data;
    const isNeeded = stop.isMarketing && sender !== "" && stop.number !== "";
    if (!isNeeded || hasMention(message)) return { text: message, isAdded: false };
    return { text: ENDS_BLANK.test(message) ? message + stop.mention : `${message} ${stop.mention}`, isAdded: true };
  }

  /** state: {message, sender, allowUcs2, replaceEmoji, replaceGsm7, defaults: {column: value}} */
  worstCase(state) {
    const { text: template, isAdded } = this.withStop(state.message, state.sender);
    const parts = pieces(template);
    const names = parts.filter((part) => typeof part !== "string").map((part) => part.name);
    const fields = names.filter((name) => !(name.toLowerCase() in this.data.links));
    const unknown = [...new Set(fields.filter((name) => this.index(name) === null))];
    const defaults = new Map(Object.entries(state.defaults).map(([name, value]) => [fold(name), value]));
    const text = parts.map((part) => (typeof part === "string" ? part : this.value(part.name, fields, defaults))).join("");
    return { ...this.judge(text, state, fields, defaults), unknown, isStopAdded: isAdded };
  }

  value(name, fields, defaults) {
    const link = this.data.links[name.toLowerCase()];
    if (link !== undefined) return link;
    const index = this.index(name);
    if (index === null) return "";
    const own = defaults.get(fold(name)) ?? "";
    const others = fields.filter((other) => this.index(other) === index).map((other) => defaults.get(fold(other)) ?? "");
    let best = this.data.longest[index] ?? "";
    for (const value of others) {
      if (measure(value, this.tables).units > measure(best, this.tables).units) best = value;
    }
    return ONLY_BLANK.test(best) ? own : best;
  }

  judge(written, state, fields, defaults) {
    let text = written;
    if (state.replaceEmoji && state.allowUcs2) {
      text = text.replace(this.shortcuts, (shortcut) => this.data.shortcuts[shortcut]);
    }
    if (!isGsm(text, this.tables) && state.replaceGsm7) text = toGsm(text, this.tables);
    let found = measure(text, this.tables);
    if (found.encoding === "GSM7" && state.allowUcs2 && this.canForceUcs2(state, fields, defaults)) {
      found = measureAsUcs2(text);
    }
    const isRefused = found.encoding === "UCS2" && !state.allowUcs2;
    return { ...found, text, isRefused, isTooLong: !isRefused && found.segments > this.data.maxSegments };
  }

  canForceUcs2(state, fields, defaults) {
    const used = new Set(fields.map((name) => this.index(name)).filter((index) => index !== null));
    let characters = [...used].map((index) => this.data.foreign[index] ?? "").join("");
    for (const name of new Set(fields)) characters += defaults.get(fold(name)) ?? "";
    return !isGsm(state.replaceGsm7 ? toGsm(characters, this.tables) : characters, this.tables);
  }

  /** What becomes of each character outside GSM 7-bit: replaced, sent as UCS-2, or refused. */
  letters(state) {
    const literals = pieces(state.message).filter((part) => typeof part === "string").join("");
    const replaced = [];
    const forcing = [];
    for (const character of foreignCharacters(state.replaceGsm7 ? literals.normalize("NFC") : literals, this.tables)) {
      const plainer = toGsm(character, this.tables);
      const canReplace = plainer !== character && isGsm(plainer, this.tables);
      if (canReplace && state.replaceGsm7) replaced.push([character, plainer]);
      else forcing.push([character, canReplace ? plainer : null]);
    }
    return { replaced, forcing };
  }
}
