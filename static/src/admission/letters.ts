/**
 * Bytes as letters that people copy from paper: Crockford's base32 in numbered rows, each with two letters of its own that find a
 * slip of the pen. Pure.
 */
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** Letters of a row without its check. */
const ROW = 30;
const GROUP = 5;
const CHECK = 2;
/** A prime below 32², so that one wrong letter, or two next to each other that changed places, give another check. */
const PRIME = 1_021;

export interface Read {
  /** Rows that are right, from the first on, and how many there are in all. */
  right: number;
  rows: number;
  /** The first row that is wrong, from 1; null: none so far. */
  wrong: number | null;
  /** What they say, once all are right. */
  bytes: Uint8Array | null;
}

function check(row: number, letters: string): string {
  let sum = row + 1;
  for (const letter of letters) sum = (sum * 33 + LETTERS.indexOf(letter)) % PRIME;
  return LETTERS[sum >> 5]! + LETTERS[sum & 31]!;
}

/** Rows of groups: `ABCDE FGHJK … YZ`, the last group of each its check. */
export function written(bytes: Uint8Array): string[] {
  let letters = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) letters += LETTERS[(held >> (bits - 5)) & 31]!;
    held &= (1 << bits) - 1;
  }
  if (bits) letters += LETTERS[(held << (5 - bits)) & 31]!;
  const rows: string[] = [];
  for (let at = 0; at < letters.length; at += ROW) {
    const row = letters.slice(at, at + ROW);
    rows.push([...row.match(new RegExp(`.{1,${GROUP}}`, "g"))!, check(rows.length, row)].join(" "));
  }
  return rows;
}

/** What somebody has typed so far of `length` bytes. Spaces and capitals do not matter; O is 0, and I and L are 1. */
export function read(typed: string, length: number): Read {
  const letters = typed.toUpperCase().replace(/O/g, "0").replace(/[IL]/g, "1").replace(/[^0-9A-Z]/g, "");
  const total = Math.ceil((length * 8) / 5);
  const rows = Math.ceil(total / ROW);
  const told: Read = { right: 0, rows, wrong: null, bytes: null };
  let whole = "";
  for (let at = 0; told.right < rows; told.right++) {
    const size = Math.min(ROW, total - whole.length);
    const row = letters.slice(at, at + size);
    at += size + CHECK;
    if (letters.length < at) return told;
    if (check(told.right, row) !== letters.slice(at - CHECK, at)) return { ...told, wrong: told.right + 1 };
    whole += row;
    if (told.right === rows - 1 && letters.length > at) return { ...told, right: rows, wrong: rows };
  }
  return { ...told, bytes: unwritten(whole, length) };
}

function unwritten(letters: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const letter of letters) {
    held = (held << 5) | LETTERS.indexOf(letter);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = held >> bits;
    held &= (1 << bits) - 1;
  }
  return bytes;
}

