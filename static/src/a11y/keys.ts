/**
 * One-key commands that do not get in the way: by physical key, so that they work with the Korean input method on;
 * never while composing, in a field, or under Ctrl, Alt or Meta; and they can be switched off (WCAG 2.1.4).
 */
export interface Key {
  /** `KeyboardEvent.code`, with `Shift+` in front where Shift is held. */
  code: string;
  run: (event: KeyboardEvent) => void;
  /** Shown in the sheet of keys. */
  label?: string;
  shown?: string;
}

export interface Pressed {
  code: string;
  key?: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  isComposing: boolean;
  keyCode?: number;
  target: EventTarget | null;
}

/** The code under which a command is looked up, or null where keys are not ours. */
export function commandOf(event: Pressed): string | null {
  if (event.isComposing || event.keyCode === 229 && event.key === "Process" && inField(event.target)) return null;
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  if (inField(event.target)) return null;
  return (event.shiftKey ? "Shift+" : "") + event.code;
}

function inField(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  return target.closest("input, textarea, select, [contenteditable=true]") !== null;
}

const KEY = "townhall.keys-off";
const DOUBLE_MS = 600;

export class Keys {
  private table = new Map<string, Key>();
  private lastEscape = -Infinity;
  enabled = !stored();
  /** Both are always on: clearing the picture must not depend on a setting. */
  onDoubleEscape: () => void = () => undefined;

  constructor() {
    addEventListener("keydown", (event) => this.press(event));
  }

  set(keys: readonly Key[]): void {
    this.table = new Map(keys.map((key) => [key.code, key]));
  }

  all(): Key[] {
    return [...this.table.values()];
  }

  switch(on: boolean): void {
    this.enabled = on;
    try {
      if (on) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, "1");
    } catch {
      // Holds for this page only.
    }
  }

  private press(event: KeyboardEvent): void {
    if (event.code === "Escape" && !event.isComposing) {
      // The one that closes a dialog or a menu is that and no more: whoever presses it twice by habit clears nothing.
      const closes = event.defaultPrevented || document.querySelector("dialog[open]") !== null;
      const now = event.timeStamp;
      if (!closes && now - this.lastEscape < DOUBLE_MS) this.onDoubleEscape();
      this.lastEscape = closes ? -Infinity : now;
      return;
    }
    if (event.code === "KeyZ" && (event.ctrlKey || event.metaKey) && !event.shiftKey && commandOf({ ...plain(event), ctrlKey: false, metaKey: false })) {
      event.preventDefault();
      this.table.get("KeyZ")?.run(event);
      return;
    }
    const command = this.enabled ? commandOf(event) : null;
    const key = command && !document.querySelector("dialog[open]") ? this.table.get(command) : undefined;
    // Enter and Space on a focused button belong to the button.
    if (!key || (["Enter", "Space"].includes(event.code) && (event.target as Element | null)?.closest("button, a, summary"))) return;
    event.preventDefault();
    key.run(event);
  }
}

function plain(event: KeyboardEvent): Pressed {
  const { code, key, shiftKey, ctrlKey, altKey, metaKey, isComposing, keyCode, target } = event;
  return { code, key, shiftKey, ctrlKey, altKey, metaKey, isComposing, keyCode, target };
}

function stored(): boolean {
  try {
    return localStorage.getItem(KEY) === "1";
  } catch {
    return false;
  }
}
