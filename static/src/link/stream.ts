/** Server-Sent Events and POST: for networks that let no WebSocket through. Same news, acknowledgements and positions. */
import { Lost, type Ack, type Door, type Heard, type Transport } from "./transport";

const SILENCE_MS = 40_000;

export function openStream(door: Door, heard: Heard): Transport {
  const base = `/api/v1/halls/${encodeURIComponent(door.code)}/${door.role}`;
  const headers = { ...authorized(door.token), "Accept-Language": door.lang };
  // Without credentials browsers use other connections than for the page itself.
  const credentials = door.apart ? "omit" : "same-origin";
  const stop = new AbortController();
  let over = false;
  const end = (refused: Parameters<Heard["closed"]>[0]): void => {
    if (over) return;
    over = true;
    stop.abort();
    heard.closed(refused);
  };
  void (async () => {
    const since = door.since ? `&since=${door.since.epoch}-${door.since.seq}` : "";
    const response = await fetch(`${base}/stream?lang=${door.lang}${since}`, { headers, signal: stop.signal, cache: "no-store", credentials });
    if (!response.ok || !response.body) {
      const error = ((await response.json()) as Ack).error;
      end(error ? { code: error.code, message: error.message, come_back_after_ms: error.temporary ? (error.retry_after_ms ?? 1_000) : null } : null);
      return;
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const parse = parser((name, data) => heard.news(name, JSON.parse(data)));
    for (;;) {
      const watch = setTimeout(() => end(null), SILENCE_MS);
      const { done, value } = await reader.read();
      clearTimeout(watch);
      if (done) break;
      parse(value);
    }
    end(null);
  })().catch(() => end(null));
  return {
    async send(command, payload) {
      try {
        const token = await door.fresh();
        const response = await fetch(`${base}/commands?lang=${door.lang}`, {
          method: "POST",
          headers: { ...headers, ...authorized(token), "Content-Type": "application/json" },
          body: JSON.stringify({ command, payload }),
          cache: "no-store",
          credentials,
        });
        return (await response.json()) as Ack;
      } catch {
        throw new Lost();
      }
    },
    resume() {
      end(null); // and the next stream begins where this one broke off
    },
    close() {
      over = true;
      stop.abort();
    },
  };
}

/** Whoever watches as nobody says nothing of who they are. */
function authorized(token: string): Record<string, string> {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** Feed it pieces of a stream; it calls `item` for each whole item (WHATWG HTML, 9.2.6, as far as our server uses it). */
export function parser(item: (name: string, data: string) => void): (piece: string) => void {
  let rest = "";
  return (piece) => {
    rest += piece;
    let at: number;
    while ((at = rest.indexOf("\n\n")) >= 0) {
      const lines = rest.slice(0, at).split("\n");
      rest = rest.slice(at + 2);
      const field = (name: string): string | undefined => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field("data");
      if (data !== undefined) item(field("event") ?? "message", data);
    }
  };
}
