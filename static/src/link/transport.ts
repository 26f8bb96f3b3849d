/** What a link needs of a way to the server; socket.ts and stream.ts are two. */
import type { Ack, Bye } from "../protocol/types";

export interface Since {
  epoch: number;
  seq: number;
}

export interface Door {
  code: string;
  role: string;
  token: string;
  /** The ticket as it is now: one that was renewed while the connection stands. */
  fresh: () => string | Promise<string>;
  lang: string;
  since: Since | null;
  /** Whether it is to have no connection in common with the loading of the page. */
  apart: boolean;
}

export interface Heard {
  /** Something arrived: `hall:joined`, `view:reset`, `view:changed`, `gauges:changed`, `bye`. */
  news(name: string, body: unknown): void;
  /** The connection is over. `refused`: the server said no, and when (if ever) to come back. */
  closed(refused: Refused | null): void;
}

export interface Refused {
  code: string;
  message: string;
  come_back_after_ms: number | null;
}

export interface Transport {
  send(command: string, payload: object): Promise<Ack>;
  /** Something did not arrive: what follows begins at `since`. */
  resume(since: Since): void;
  close(): void;
}

export type Open = (door: Door, heard: Heard) => Transport;

export class Lost extends Error {}

/** There is no ticket to come in with: the server said no, and when (if ever) to ask again. */
export class NoTicket extends Error {
  constructor(readonly refused: Refused) {
    super(refused.code);
  }
}
export type { Ack, Bye };
