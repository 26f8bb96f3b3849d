/**
 * What in a text may tell who wrote it, said before it is sent. Pure; never refuses, never leaves the page.
 * `phone`, `email` and `resident_number` are found as moderation/filters.py finds them: tests/golden/hints.json holds both to it.
 */
export type Hint = "only_one" | "staff_number" | "own_name" | "phone" | "email" | "resident_number";

const DIGITS = /[０-９－‐–—]/g;
const RESIDENT = /(?<!\d)(\d{6})([^\d\n]{0,3})([1-8])(\d{6}|[\d*]{6})(?!\d)/g;
/** What stands in the middle of a resident registration number as people write it. */
const USUAL = /^\s?-?\s?$/;
const WEIGHTS = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5];
const PATTERNS: readonly (readonly [Hint, RegExp])[] = [
  // "우리 팀에서 저만", "제가 유일", "유일한 여직원으로서", "저 혼자 … 합니다"; "the only … in our office".
  ["only_one", /(에서|에는|중에|가운데)\s?(저|나|제가|내가)\s?(만|혼자|유일)|(제|내)가\s?(유일|혼자)|유일한\s\S{1,12}(으)?로서|(저|나)\s?혼자|저만\s(?!그런|그렇|이런|이렇|느끼|몰랐)/u],
  ["only_one", /\b(as|being|i am|i'm|i’m|i was) the only\b(?! (way|thing|option|reason))/iu],
  ["staff_number", /(사번|직번|행번|직원\s?번호|사원\s?번호|공무원\s?번호)\D{0,8}[A-Za-z]{0,3}-?\d{3,}/u],
  ["staff_number", /\b(staff|employee|personnel)\s?(no\.?|number|id)\b\D{0,8}?[A-Za-z]{0,3}-?\d{3,}/iu],
  ["own_name", /(제|내)\s?이름은|(저는|나는|저,)\s?(\S{1,12}\s){0,3}[가-힣]{2,4}\s?(주무관|사무관|서기관|서기|주사|과장|팀장|계장|국장|실장|대리|사원|선생|연구원|간호사|의사)\s?(입니다|이에요|예요|인데|이고|이라고)/u],
  ["own_name", /\bmy name is\b/iu],
  ["phone", /(?<!\d)(?:\+82[- ]?1\d|01[016789])[-. )]?\d{3,4}[-. ]?\d{4}(?!\d)/u],
  ["phone", /(?<!\d)\(?0(?:2|[3-6]\d)\)?[-. ]?\d{3,4}[-. ]\d{4}(?!\d)/u],
  ["email", /[\p{L}\p{N}_.+-]{1,64}@(?:[\p{L}\p{N}_-]{1,63}\.){1,8}[A-Za-z]{2,24}/u],
];

/** Kinds of hints in `text`, each once, in alphabetical order. */
export function hints(text: string): Hint[] {
  const plain = text.replace(DIGITS, (letter) => (letter >= "０" && letter <= "９" ? String(letter.charCodeAt(0) - 0xff10) : "-"));
  const found = new Set<Hint>(PATTERNS.filter(([, pattern]) => pattern.test(plain)).map(([kind]) => kind));
  for (const [, day, between, century, rest] of plain.matchAll(RESIDENT)) {
    // A number given out since October 2020 has no checksum, so none is asked of what is written as usual; where it is right, it is known
    // however its halves are set apart.
    if (isBirth(day!, century!) && (USUAL.test(between!) || isChecked(day! + century! + rest!))) found.add("resident_number");
  }
  return [...found].sort();
}

/** The last digit as it was until October 2020: 주민등록번호 and, two more, 외국인등록번호. */
function isChecked(digits: string): boolean {
  if (!/^\d{13}$/.test(digits)) return false;
  const total = WEIGHTS.reduce((sum, weight, place) => sum + weight * Number(digits[place]), 0);
  return Number(digits[12]) === (("5678".includes(digits[6]!) ? 13 : 11) - (total % 11)) % 10;
}

function isBirth(day: string, century: string): boolean {
  const year = ("1256".includes(century) ? 1900 : 2000) + Number(day.slice(0, 2));
  const [month, date] = [Number(day.slice(2, 4)), Number(day.slice(4, 6))];
  const made = new Date(Date.UTC(year, month - 1, date));
  return made.getUTCMonth() === month - 1 && made.getUTCDate() === date;
}
