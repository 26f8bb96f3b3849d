import { afterEach, beforeEach, expect, test } from "vitest";
import { commandOf, Keys, type Pressed } from "./keys";

const pressed = (code: string, more: Partial<Pressed> = {}): Pressed => ({
  code,
  shiftKey: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  isComposing: false,
  target: document.body,
  ...more,
});

beforeEach(() => {
  localStorage.clear();
  document.body.replaceChildren();
});
afterEach(() => document.body.replaceChildren());

function field(name: string): HTMLElement {
  const made = document.createElement(name);
  document.body.append(made);
  return made;
}

test("a key is known by its place, so that the Korean input method does not hide it", () => {
  expect(commandOf(pressed("KeyP", { key: "ㅔ" }))).toBe("KeyP");
  expect(commandOf(pressed("KeyP", { key: "Process", keyCode: 229 }))).toBe("KeyP");
  expect(commandOf(pressed("Slash", { shiftKey: true }))).toBe("Shift+Slash");
});

test("nothing while composing, under Ctrl, Alt or Meta, or in a field", () => {
  expect(commandOf(pressed("KeyP", { isComposing: true }))).toBeNull();
  for (const held of ["ctrlKey", "altKey", "metaKey"]) expect(commandOf(pressed("KeyP", { [held]: true }))).toBeNull();
  for (const name of ["input", "textarea", "select"]) expect(commandOf(pressed("KeyP", { target: field(name) }))).toBeNull();
});

test("a key does its work until keys are switched off, which is remembered", () => {
  const keys = new Keys();
  let done = 0;
  keys.set([{ code: "KeyP", run: () => (done += 1) }]);
  const press = (): boolean => document.body.dispatchEvent(new KeyboardEvent("keydown", { code: "KeyP", bubbles: true, cancelable: true }));
  expect(press()).toBe(false);
  expect(done).toBe(1);
  keys.switch(false);
  expect(press()).toBe(true);
  expect(done).toBe(1);
  expect(new Keys().enabled).toBe(false);
});

test("Escape twice clears, also with keys switched off; once does not", () => {
  const keys = new Keys();
  let cleared = 0;
  keys.onDoubleEscape = () => (cleared += 1);
  keys.switch(false);
  const escape = (): boolean => dispatchEvent(new KeyboardEvent("keydown", { code: "Escape" }));
  escape();
  expect(cleared).toBe(0);
  escape();
  expect(cleared).toBe(1);
});

test("the Escape that closes a dialog is not the first of two", () => {
  const keys = new Keys();
  let cleared = 0;
  keys.onDoubleEscape = () => (cleared += 1);
  const escape = (): boolean => document.body.dispatchEvent(new KeyboardEvent("keydown", { code: "Escape", bubbles: true }));
  escape();
  const dialog = field("dialog");
  dialog.setAttribute("open", "");
  escape();
  dialog.remove();
  escape();
  expect(cleared).toBe(0);
  escape();
  expect(cleared).toBe(1);
});

test("Space on a button belongs to the button, and an open dialog has all keys", () => {
  const keys = new Keys();
  let done = 0;
  keys.set([{ code: "Space", run: () => (done += 1) }, { code: "KeyP", run: () => (done += 1) }]);
  field("button").dispatchEvent(new KeyboardEvent("keydown", { code: "Space", bubbles: true }));
  expect(done).toBe(0);
  field("dialog").setAttribute("open", "");
  document.body.dispatchEvent(new KeyboardEvent("keydown", { code: "KeyP", bubbles: true }));
  expect(done).toBe(0);
});
