import { signal } from "@preact/signals";
import { beforeEach, expect, test, vi } from "vitest";
import type { Fragment } from "../feed/fold";
import type { Link } from "./link";
import { Outbox, type Store } from "./outbox";
import { Lost, type Ack } from "./transport";

type Sent = { command: string; payload: { client_id: string; text: string; messages?: number[] } };

class Kept implements Store {
  readonly all = new Map<string, string>();
  getItem = (key: string): string | null => this.all.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.all.set(key, value);
}

/** A connection whose other end is the list `answers`. */
function line(...answers: (Ack | "lost")[]) {
  const sent: Sent[] = [];
  const link = {
    state: signal("live"),
    version: signal(0),
    gauges: signal({}),
    view: new Map<string, Fragment>(),
    send: (command: string, payload: object): Promise<Ack> => {
      sent.push({ command, payload } as Sent);
      const answer = answers.shift() ?? "lost";
      if (answer !== "lost") return Promise.resolve(answer);
      link.state.value = "reconnecting";
      return Promise.reject(new Lost());
    },
  };
  return { link: link as unknown as Link, state: link.state, sent, answers };
}

const no = (code: string, temporary: boolean): Ack => ({ ok: false, error: { code, message: `because ${code}`, temporary, retry_after_ms: 1 } });
let session: Kept;
let local: Kept;
beforeEach(() => {
  session = new Kept();
  local = new Kept();
});
const outbox = (link: Link): Outbox => new Outbox(link, "ABCD", session, local);
const states = (box: Outbox): string[] => box.items.value.map((item) => item.state);

test("what was cut off is sent again under the same client id, and known as mine", async () => {
  const { link, state, sent, answers } = line("lost");
  const box = outbox(link);
  box.post("hello", false);
  await vi.waitFor(() => expect(state.value).toBe("reconnecting"));
  expect(states(box)).toEqual(["sending"]);
  answers.push({ ok: true, seq: 7, state: "visible" });
  state.value = "live";
  await vi.waitFor(() => expect([...box.mine.value]).toEqual([7]));
  expect(sent.map((one) => one.payload.text)).toEqual(["hello", "hello"]);
  expect(sent[0]!.payload.client_id).toBe(sent[1]!.payload.client_id);
  expect(states(box)).toEqual([]);
});

test("it survives a reload: the next page sends what waited, in its order and under the same ids", async () => {
  const first = line("lost");
  const before = outbox(first.link);
  before.post("one", false);
  await vi.waitFor(() => expect(first.state.value).toBe("reconnecting"));
  before.post("two", true);
  const ids = before.items.value.map((item) => item.clientId);
  const second = line({ ok: true, seq: 1 }, { ok: true, seq: 2 });
  const after = outbox(second.link);
  await vi.waitFor(() => expect([...after.mine.value]).toEqual([1, 2]));
  expect(second.sent.map((one) => one.payload.client_id)).toEqual(ids);
  expect(second.sent.map((one) => one.payload.text)).toEqual(["one", "two"]);
});

test("a refusal that passes is tried again; one that stays says why and keeps the text", async () => {
  const { link, sent } = line(no("busy", true), no("muted", false));
  const box = outbox(link);
  box.post("hello", false);
  await vi.waitFor(() => expect(states(box)).toEqual(["failed"]));
  expect(sent).toHaveLength(2);
  expect(box.items.value[0]).toMatchObject({ text: "hello", why: "because muted" });
});

test("slow mode is shown, not fought", async () => {
  const { link, sent } = line(no("slow_mode", true));
  const box = outbox(link);
  box.post("hello", false);
  await vi.waitFor(() => expect(states(box)).toEqual(["failed"]));
  expect(sent).toHaveLength(1);
  expect(box.waitUntil.value).toBeGreaterThan(0);
});

test("a held message is followed until it is published", async () => {
  const { link } = line({ ok: true, seq: 5, state: "held" });
  const box = outbox(link);
  box.post("hello", false);
  await vi.waitFor(() => expect(states(box)).toEqual(["held"]));
  link.view.set("message:5", { k: "message", id: 5 });
  (link.version as { value: number }).value += 1;
  expect(states(box)).toEqual([]);
});

test("what becomes of a held message is asked for a little later where it was asked for just now, and not left out", async () => {
  vi.useFakeTimers();
  try {
    const held: Ack = { ok: true, data: { states: { 5: { state: "held" } } } };
    const removed: Ack = { ok: true, data: { states: { 5: { state: "removed", reason: "spam" } } } };
    const { link, sent } = line({ ok: true, seq: 5, state: "held" }, held, removed);
    const box = outbox(link);
    box.post("hello", false);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(states(box)).toEqual(["held"]);
    // One figure changes, and a moment later another: the last one for a long time.
    link.gauges.value = { ...link.gauges.value };
    await vi.advanceTimersByTimeAsync(100);
    link.gauges.value = { ...link.gauges.value };
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states(box)).toEqual(["removed"]);
    expect(sent.map((one) => one.command)).toEqual(["message:post", "message:check", "message:check"]);
  } finally {
    vi.useRealTimers();
  }
});
