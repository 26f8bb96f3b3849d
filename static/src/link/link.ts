/** One view of a town hall, kept up to date over whatever gets through. */
import { signal, type Signal } from "@preact/signals";
import { fold, type Fragment, type View } from "../feed/fold";
import { language } from "../i18n";
import type { Ack, Bye, Commands, Counts, Hello, PollFigures } from "../protocol/types";
import { session } from "../ui/storage";
import { backoff } from "./backoff";
import { openSocket } from "./socket";
import { openStream } from "./stream";
import { Lost, NoTicket, type Open, type Refused, type Since, type Transport } from "./transport";

export type State = "connecting" | "live" | "reconnecting" | "ended";

export interface Gauges {
  viewers: number;
  support: Record<string, number>;
  counts: Counts;
  /** The open poll's figures, or those of one that was open; null: none yet. */
  poll: PollFigures | null;
}

const BLOCKED = "townhall.no-websocket";
const WEBSOCKET_TRIES = 2;
const HEALTH_MS = 3_000;

export class Link {
  readonly state: Signal<State> = signal("connecting");
  /** Folded fragments; `version` rises with each change. */
  readonly view: View = new Map();
  readonly version = signal(0);
  readonly gauges: Signal<Gauges> = signal({ viewers: 0, support: {}, counts: {}, poll: null });
  readonly hello: Signal<Hello | null> = signal(null);
  /** Why it ended, in a sentence. */
  readonly ended: Signal<string> = signal("");
  /** Server's clock minus ours, in seconds. */
  readonly skew = signal(0);
  private since: Since | null = null;
  private transport: Transport | null = null;
  private attempt = 0;
  private failed = 0;
  /** Rises with each try, so that the answer to an older one is not taken. */
  private round = 0;
  private everLive = false;
  /** Whether its connections have none in common with the loading of the page: from the first rotation, or the first ticket, on. */
  private apart = false;
  private bye: Bye | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly role: string,
    private readonly code: string,
    private readonly token: () => string | Promise<string>,
    private readonly onNews: (entries: readonly Fragment[], whole: boolean) => void = () => undefined,
  ) {
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.drop());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.hurry();
    });
    this.open();
  }

  /** Send a command. Throws Lost when there is no answer: repeating it with the same client id is safe. */
  async send<K extends keyof Commands>(command: K, payload: Commands[K]): Promise<Ack> {
    if (!this.transport) throw new Lost();
    return this.transport.send(command, payload as object);
  }

  /** Come in again at once, with another ticket. `lingerMs`: after so long the connection before it is closed, unheard until then. */
  renew(lingerMs = 0): void {
    const before = this.leave();
    if (lingerMs > 0) setTimeout(() => before?.close(), lingerMs);
    else before?.close();
    this.state.value = "connecting";
    this.open();
  }

  /** Drop the connection now, and open another after `afterMs`. What is on the screen stays there; commands are lost meanwhile. */
  rotate(afterMs: number): void {
    this.leave()?.close();
    this.apart = true;
    this.timer = setTimeout(() => this.open(), afterMs);
  }

  /** From now on nothing is heard of the connection that there was. */
  private leave(): Transport | null {
    clearTimeout(this.timer);
    this.round++;
    const before = this.transport;
    this.transport = null;
    return before;
  }

  close(): void {
    clearTimeout(this.timer);
    this.transport?.close();
    this.transport = null;
    this.state.value = "ended";
  }

  private hurry(): void {
    if (this.state.value !== "reconnecting" || !this.timer) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), 100 + Math.random() * 400);
  }

  private drop(): void {
    if (!this.transport || this.state.value === "ended") return;
    this.transport.close();
    this.lost(null);
  }

  private open(): void {
    this.timer = undefined;
    this.bye = null;
    const token = this.token();
    const round = ++this.round;
    if (typeof token === "string") this.connect(token);
    else {
      token.then(
        (got) => {
          if (round === this.round && this.state.value !== "ended") this.connect(got);
        },
        (error: unknown) => {
          if (round === this.round) this.lost(error instanceof NoTicket ? error.refused : null);
        },
      );
    }
  }

  private connect(token: string): void {
    const way: Open = session.getItem(BLOCKED) ? openStream : openSocket;
    const round = this.round;
    this.apart ||= token !== "";
    this.transport = way(
      { code: this.code, role: this.role, token, fresh: this.token, lang: language.value, since: this.since, apart: this.apart },
      {
        news: (name, body) => {
          if (round === this.round) this.take(name, body);
        },
        closed: (refused) => {
          if (round === this.round) this.lost(refused);
        },
      },
    );
  }

  private lost(refused: Refused | null): void {
    this.transport = null;
    if (this.state.value === "ended") return;
    const word = this.bye ?? refused;
    if (word && word.come_back_after_ms === null) {
      this.ended.value = word.message;
      this.state.value = "ended";
      return;
    }
    this.state.value = this.everLive ? "reconnecting" : "connecting";
    if (!word && navigator.onLine && ++this.failed >= WEBSOCKET_TRIES) void this.tryOtherWay();
    const asked = word?.come_back_after_ms;
    const wait = asked !== undefined && asked !== null ? asked + Math.random() * 300 : backoff(this.attempt);
    this.attempt++;
    this.timer = setTimeout(() => this.open(), wait);
  }

  /** Where the server answers, and yet no connection comes about, something on the way does not let it through. */
  private async tryOtherWay(): Promise<void> {
    try {
      if (!(await fetch("/healthz", { cache: "no-store", credentials: this.apart ? "omit" : "same-origin", signal: AbortSignal.timeout(HEALTH_MS) })).ok) return;
    } catch {
      return; // it is down, or out of reach: the same way again
    }
    if (this.state.value === "live" || this.state.value === "ended") return;
    if (session.getItem(BLOCKED)) session.removeItem(BLOCKED);
    else session.setItem(BLOCKED, "1");
    this.failed = 0;
  }

  private take(name: string, body: unknown): void {
    switch (name) {
      case "hall:joined": {
        this.hello.value = body as Hello;
        this.skew.value = this.hello.value.now - Date.now() / 1000;
        this.attempt = this.failed = 0;
        this.everLive = true;
        this.state.value = "live";
        break;
      }
      case "view:reset": {
        const { epoch, seq, entries } = body as { epoch: number; seq: number; entries: Fragment[] };
        this.view.clear();
        fold(this.view, entries);
        this.since = { epoch, seq };
        this.version.value++;
        this.onNews(entries, true);
        break;
      }
      case "view:changed": {
        const { after, seq, entries, epoch } = body as { after: number; seq: number; entries: Fragment[]; epoch?: number };
        if (!this.since) break;
        const elsewhere = epoch !== undefined && epoch !== this.since.epoch;
        if (elsewhere || after !== this.since.seq) {
          if (!elsewhere && seq <= this.since.seq) break; // seen already
          this.transport?.resume(this.since);
          break;
        }
        fold(this.view, entries);
        this.since.seq = seq;
        if (entries.length) {
          this.version.value++;
          this.onNews(entries, false);
        }
        break;
      }
      case "gauges:changed": {
        const news = body as Partial<Gauges>;
        const old = this.gauges.value;
        this.gauges.value = {
          viewers: news.viewers ?? old.viewers,
          support: { ...old.support, ...news.support },
          counts: news.counts ?? old.counts,
          poll: news.poll ?? old.poll,
        };
        break;
      }
      case "bye":
        this.bye = body as Bye;
        break;
    }
  }
}

/** A client id: random, and never sent to anybody else. */
export function clientId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(15));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}
