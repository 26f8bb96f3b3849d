/** My own messages on their way: kept over a reload, sent again with the same client id, and followed until they are public. */
import { effect, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { t } from "../i18n";
import { backoff } from "./backoff";
import { clientId, type Link, type State } from "./link";
import { Lost, type Ack } from "./transport";

export type OwnState = "sending" | "held" | "failed" | "removed";

export interface Own {
  clientId: string;
  text: string;
  asked: boolean;
  state: OwnState;
  seq?: number;
  /** Why it failed or was removed, as a sentence. */
  why?: string;
}

export interface Store {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

const OWN_MAX = 500;
const CHECK_MS = 4_000;
const TRIES = 6;

export class Outbox {
  readonly items: Signal<Own[]>;
  /** Ids of my messages: only this browser knows them. */
  readonly mine: Signal<ReadonlySet<number>>;
  /** Unix ms until which the server asked me to wait. */
  readonly waitUntil = signal(0);
  private sending = false;
  private checked = 0;
  private later: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly link: Pick<Link, "send" | "version" | "gauges" | "view"> & { readonly state: ReadonlySignal<State> },
    private readonly code: string,
    private readonly session: Store,
    private readonly local: Store,
  ) {
    this.items = signal(read<Own[]>(session, this.key("outbox"), []));
    this.mine = signal(new Set(read<number[]>(local, this.key("mine"), [])));
    effect(() => {
      if (link.state.value === "live") queueMicrotask(() => void this.flush());
    });
    effect(() => {
      void link.version.value;
      this.dropPublic();
    });
    effect(() => {
      void link.gauges.value;
      if (link.state.value === "live") void this.check();
    });
  }

  post(text: string, asked: boolean): void {
    this.change([...this.items.peek(), { clientId: clientId(), text, asked, state: "sending" }]);
    void this.flush();
  }

  retry(id: string): void {
    this.put(id, { state: "sending", why: undefined });
    void this.flush();
  }

  discard(id: string): void {
    this.change(this.items.peek().filter((item) => item.clientId !== id));
  }

  /** Send what waits, one after another, so that my messages keep their order. */
  async flush(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    try {
      for (let tries = 0; tries < TRIES; ) {
        const next = this.items.peek().find((item) => item.state === "sending");
        if (!next || this.link.state.peek() !== "live") return;
        let ack: Ack;
        try {
          ack = await this.link.send("message:post", { client_id: next.clientId, text: next.text, asked: next.asked });
        } catch (error) {
          if (!(error instanceof Lost)) throw error;
          if (this.link.state.peek() !== "live") return; // comes again with the connection
          ack = { ok: false, error: { code: "not_saved", message: t("refusal.not_saved"), temporary: true } };
        }
        if (ack.ok) {
          tries = 0;
          this.arrived(next, ack.seq!, ack.state ?? "visible");
        } else if (ack.error?.temporary && WORTH_WAITING.has(ack.error.code) && ++tries < TRIES) {
          await sleep(ack.error.retry_after_ms ?? backoff(tries));
        } else {
          if (ack.error?.retry_after_ms) this.waitUntil.value = Date.now() + ack.error.retry_after_ms;
          this.put(next.clientId, { state: "failed", why: ack.error?.message });
          tries = 0;
        }
      }
      for (const item of this.items.peek()) if (item.state === "sending") this.put(item.clientId, { state: "failed", why: t("refusal.not_saved") });
    } finally {
      this.sending = false;
    }
  }

  private arrived(own: Own, seq: number, state: string): void {
    this.mine.value = new Set([...[...this.mine.peek()].slice(-OWN_MAX + 1), seq]);
    write(this.local, this.key("mine"), [...this.mine.peek()]);
    if (state === "held") this.put(own.clientId, { state: "held", seq });
    else this.put(own.clientId, { state: "sending", seq });
    if (state !== "held") this.discard(own.clientId);
  }

  /** What is public is drawn from the view, not from here. */
  private dropPublic(): void {
    const items = this.items.peek();
    const left = items.filter((item) => item.seq === undefined || !this.link.view.has(`message:${item.seq}`));
    if (left.length !== items.length) this.change(left);
  }

  private async check(): Promise<void> {
    const held = this.items.peek().filter((item) => item.state === "held" && item.seq !== undefined);
    if (!held.length || this.later !== undefined) return;
    const wait = this.checked + CHECK_MS - Date.now();
    if (wait > 0) {
      // Put off, not left out: in a quiet town hall no other figure may change for a long time.
      this.later = setTimeout(() => {
        this.later = undefined;
        if (this.link.state.value === "live") void this.check();
      }, wait);
      return;
    }
    this.checked = Date.now();
    const ack = await this.link.send("message:check", { messages: held.map((item) => item.seq!) }).catch(() => null);
    const states = (ack?.data as { states?: Record<string, { state: string; reason?: string }> } | undefined)?.states ?? {};
    for (const item of held) {
      const found = states[String(item.seq)];
      if (found?.state === "removed") this.put(item.clientId, { state: "removed", why: t(`common.removal.${found.reason ?? "other"}`) });
    }
  }

  private put(id: string, changes: Partial<Own>): void {
    this.change(this.items.peek().map((item) => (item.clientId === id ? { ...item, ...changes } : item)));
  }

  private change(items: Own[]): void {
    this.items.value = items.slice(-OWN_MAX);
    write(this.session, this.key("outbox"), this.items.value);
  }

  private key(what: string): string {
    return `townhall.${this.code}.${what}`;
  }
}

const WORTH_WAITING = new Set(["not_saved", "unknown_outcome", "busy", "draining", "disk_full", "internal", "chat_flooded"]);

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

function read<T>(store: Store, key: string, otherwise: T): T {
  try {
    return (JSON.parse(store.getItem(key) ?? "null") as T | null) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function write(store: Store, key: string, value: unknown): void {
  try {
    store.setItem(key, JSON.stringify(value));
  } catch {
    // A full or forbidden store costs only what a reload would have kept.
  }
}
