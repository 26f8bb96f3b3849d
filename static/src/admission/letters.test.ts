import { expect, test } from "vitest";
import { read, written } from "./letters";

const LENGTH = 486;
const bytes = Uint8Array.from({ length: LENGTH }, (_, place) => (place * 151 + (place >> 3)) % 256);
const rows = written(bytes);
const text = rows.join("\n");

test("what was written is read again, whatever its spaces, capitals and look-alikes", () => {
  expect(rows.length).toBe(26);
  expect(rows[0]).toMatch(/^(?:[0-9A-Z]{5} ){6}[0-9A-Z]{2}$/);
  const sloppy = text.toLowerCase().replaceAll("0", "o").replace("1", "l").replaceAll("1", "I").replaceAll(" ", "-");
  for (const typed of [text, sloppy, text.replace(/\s/g, "")]) expect(read(typed, LENGTH)).toEqual({ right: 26, rows: 26, wrong: null, bytes });
});

test("every other letter, and every two that changed places, are found in their row", () => {
  const flat = rows.map((row) => row.replaceAll(" ", ""));
  for (const row of [0, 12, 25]) {
    const letters = flat[row]!;
    for (let at = 0; at < letters.length; at++) {
      for (const other of "0123456789ABCDEFGHJKMNPQRSTVWXYZU") {
        if (other === letters[at]) continue;
        const typed = flat.with(row, letters.slice(0, at) + other + letters.slice(at + 1)).join("\n");
        expect(read(typed, LENGTH), `${row} ${at} ${other}`).toMatchObject({ right: row, wrong: row + 1, bytes: null });
      }
      if (at === 0 || letters[at] === letters[at - 1] || at >= letters.length - 1) continue;
      const turned = letters.slice(0, at - 1) + letters[at]! + letters[at - 1]! + letters.slice(at + 1);
      expect(read(flat.with(row, turned).join("\n"), LENGTH).wrong, `${row} ${at}`).toBe(row + 1);
    }
  }
});

test("a row in another's place is wrong, and so is what comes after the last", () => {
  expect(read([rows[1], rows[0], ...rows.slice(2)].join("\n"), LENGTH).wrong).toBe(1);
  expect(read(`${text} A`, LENGTH)).toMatchObject({ wrong: 26, bytes: null });
});

test("while somebody types it says how far they are", () => {
  expect(read("", LENGTH)).toEqual({ right: 0, rows: 26, wrong: null, bytes: null });
  expect(read(rows.slice(0, 3).join(""), LENGTH)).toMatchObject({ right: 3, wrong: null });
  expect(read(rows.slice(0, 3).join("") + "ABC", LENGTH)).toMatchObject({ right: 3, wrong: null });
});
