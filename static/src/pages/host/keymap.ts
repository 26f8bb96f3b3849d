/** The console's keys: one each for what a host does under time pressure (a moderator's habits from other tools). */
import { effect } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import { type Key, Keys } from "../../a11y/keys";
import { t } from "../../i18n";
import { ask, dialog } from "./dialogs";
import { act, admission, air, directorOf, filter, frozenAt, hall, message, messages, preview, queue, selected, shown } from "./state";

export const keys = new Keys();
let jumping = 0;

/** The message that keys act on: the one chosen in the stream or the queue. */
function target(): number | null {
  return selected.value;
}

function withTarget(run: (id: number) => void): () => void {
  return () => {
    const id = target();
    if (id !== null && message(id)) run(id);
  };
}

/** Move the choice; the list is whichever column it is in. */
export function move(step: number): void {
  const inQueue = document.activeElement?.closest(".queue") !== null && document.activeElement?.closest(".queue") !== undefined;
  const list = inQueue ? queue.value : shown.value;
  const at = list.findIndex((one) => one.id === selected.value);
  const next = list[at < 0 ? (step > 0 ? 0 : list.length - 1) : Math.max(0, Math.min(list.length - 1, at + step))];
  if (!next) return;
  selected.value = next.id;
  queueMicrotask(() => document.querySelector(`${inQueue ? ".queue" : ".stream"} [data-id="${next.id}"]`)?.scrollIntoView({ block: "nearest" }));
}

export function route(place: number): void {
  const one = message(target());
  if (!one) return;
  const suggested = one.suggested ?? [];
  const rest = (hall.value?.setup.directors ?? []).map((director) => director.id).filter((id) => !suggested.includes(id));
  const director = [...suggested, ...rest][place - 1];
  if (director && directorOf(director)) void act("question:route", { message: one.id, director });
}

/** What I have taken on air and this page does not show there yet: the next key may come sooner than the answer. */
let taking: number | null = null;
/** Milliseconds after the answer by which the view shows it, whatever becomes of it there. */
const SHOWN_MS = 2_000;

function onAir(): number | null {
  return taking ?? air.value?.id ?? null;
}

export function takeNext(): void {
  const next = message(preview.value?.id) ?? queue.value[0];
  if (next) take(next.id);
}

function take(id: number): void {
  taking = id;
  const taken = (): void => void (taking === id && (taking = null));
  void act("question:air", { message: id }).then((done) => (done ? setTimeout(taken, SHOWN_MS) : taken()));
}

effect(() => {
  if (air.value?.id === taking) taking = null;
});

export function finish(): void {
  const now = onAir();
  if (now) void act("question:finish", { message: now });
}

function column(selector: string): void {
  (document.querySelector(selector) as HTMLElement | null)?.focus();
}

export function table(): Key[] {
  const letter = (code: string, shown: string, label: string, run: () => void): Key => ({ code, shown, label, run });
  return [
    letter("KeyJ", "J ↓", "key_following", () => move(1)),
    letter("KeyK", "K ↑", "key_previous", () => move(-1)),
    { code: "ArrowDown", run: () => move(1) },
    { code: "ArrowUp", run: () => move(-1) },
    letter("KeyS", "S", "pick", withTarget((id) => void act("question:pick", { message: id }))),
    { code: "KeyP", run: withTarget((id) => void act("question:pick", { message: id })) },
    letter("KeyA", "A", "publish", withTarget((id) => void act("message:publish", { message: id }))),
    { code: "KeyY", run: withTarget((id) => void act("message:publish", { message: id })) },
    letter("KeyH", "H", "hold", withTarget((id) => void act("message:hold", { message: id }))),
    letter("Shift+KeyH", "Shift H", "hold_author", withTarget((id) => void act("author:hold", { message: id }))),
    letter("KeyR", "R", "remove", withTarget((id) => ask("remove", id))),
    letter("KeyM", "M", "merge", withTarget((id) => ask("merge", id))),
    letter("KeyU", "U", "mute", withTarget((id) => ask("mute", id))),
    letter("KeyL", "L", "route", withTarget((id) => ask("route", id))),
    ...Array.from({ length: 9 }, (_, place): Key => ({ code: `Digit${place + 1}`, shown: place ? undefined : "1 – 9", label: place ? undefined : "key_digit", run: () => (jumping > Date.now() ? jump(place + 1) : route(place + 1)) })),
    letter("Digit0", "0", "key_zero", withTarget((id) => void act("question:route", { message: id, director: null }))),
    letter("Enter", "Enter", "preview", withTarget((id) => void act("question:preview", { message: preview.value?.id === id ? null : id }))),
    letter("Shift+Enter", "Shift Enter", "take", withTarget(take)),
    letter("KeyN", "N", "next", takeNext),
    letter("KeyX", "X", "answered", finish),
    letter("KeyD", "D", "defer", () => ask("defer", onAir() ?? target())),
    letter("KeyW", "W", "write", withTarget((id) => ask("write", id))),
    letter("KeyV", "V", "polls", () => (dialog.value = { kind: "polls" })),
    letter("Space", "Space", "key_pause", () => (frozenAt.value = frozenAt.value === null ? (messages.value.at(-1)?.id ?? 0) : null)),
    ...(admission.value ? [letter("KeyF", "F", "fingerprint", () => (dialog.value = { kind: "fingerprint" }))] : []),
    letter("KeyZ", "Z", "undo", () => void act("act:undo", {})),
    letter("KeyT", "T", "filter", () => (filter.value = filter.value === "all" ? "held" : filter.value === "held" ? "asked" : filter.value === "asked" ? "supported" : "all")),
    letter("KeyG", "G 1 – 3", "key_column", () => (jumping = Date.now() + 1_500)),
    letter("Slash", "/", "key_search", () => column("#search")),
    letter("Shift+Slash", "?", "key_sheet", () => (dialog.value = { kind: "keys" })),
  ];
}

function jump(place: number): void {
  jumping = 0;
  column([".stream .list", ".queue .list", ".live"][place - 1] ?? ".stream .list");
}

export function useKeys(): void {
  // As soon as the console is there to be seen: whoever presses a key then means it.
  useLayoutEffect(() => {
    keys.onDoubleEscape = () => void act("overlay:clear", {});
    // Some keys depend on what the town hall has.
    return effect(() => keys.set(table()));
  }, []);
}

export function labelOf(key: Key): string {
  return key.label ? t(`host.${key.label}`) : "";
}
