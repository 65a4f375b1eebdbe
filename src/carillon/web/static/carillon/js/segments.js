// How a text travels: the rule of carillon.domain.segments, with its tables (sent by the page as JSON).
// A test runs both over thousands of texts: change them together.

const GSM_SINGLE = 160;
const GSM_JOINED = 153;
const UCS2_SINGLE = 70;
const UCS2_JOINED = 67;

/** @param {{basic: string, extension: string, replacements: Object<string, string>}} tables */
export function prepareTables(tables) {
  return {
    basic: new Set(tables.basic),
    extension: new Set(tables.extension),
    replacements: new Map(Object.entries(tables.replacements)),
  };
}

export function isGsm(text, tables) {
  for (const character of text) {
    if (!tables.basic.has(character) && !tables.extension.has(character)) return false;
  }
  return true;
}

/** Each character that forces UCS-2, once, in the order met. */
export function foreignCharacters(text, tables) {
  const found = new Set();
  for (const character of text) {
    if (!tables.basic.has(character) && !tables.extension.has(character)) found.add(character);
  }
  return [...found];
}

/** The nearest in GSM 7-bit of a character outside it, undefined when there is none. */
export function replacementOf(character, tables) {
  const known = tables.replacements.get(character);
  if (known !== undefined) return known;
  const code = character.codePointAt(0);
  const isLatin = (code >= 0xc0 && code < 0x250) || (code >= 0x1e00 && code < 0x1f00);
  if (!isLatin || tables.basic.has(character)) return undefined;
  const base = character.normalize("NFD")[0];
  return base.charCodeAt(0) < 0x80 ? base : undefined;
}

/** The text with the main characters replaced by their nearest in GSM 7-bit; what has no replacement stays. */
export function toGsm(text, tables) {
  if (isGsm(text, tables)) return text;
  let plain = "";
  for (const character of text.normalize("NFC")) {
    plain += replacementOf(character, tables) ?? character;
  }
  return plain;
}

/** {encoding, units, segments, capacity}: an escape pair or a surrogate pair is never cut in two. */
export function measure(text, tables) {
  return isGsm(text, tables)
    ? summarise("GSM7", gsmWidths(text, tables), GSM_SINGLE, GSM_JOINED)
    : summarise("UCS2", ucs2Widths(text), UCS2_SINGLE, UCS2_JOINED);
}

export function measureAsUcs2(text) {
  return summarise("UCS2", ucs2Widths(text), UCS2_SINGLE, UCS2_JOINED);
}

function gsmWidths(text, tables) {
  const widths = [];
  for (const character of text) widths.push(tables.extension.has(character) ? 2 : 1);
  return widths;
}

function ucs2Widths(text) {
  const widths = [];
  for (const character of text) widths.push(character.length);
  return widths;
}

function summarise(encoding, widths, single, joined) {
  const units = widths.reduce((sum, width) => sum + width, 0);
  if (units <= single) return { encoding, units, segments: 1, capacity: single };
  let segments = 1;
  let room = joined;
  for (const width of widths) {
    if (width > room) {
      segments += 1;
      room = joined;
    }
    room -= width;
  }
  return { encoding, units, segments, capacity: segments * joined };
}
