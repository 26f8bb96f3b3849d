/** Over a WebSocket, by the official client. It is told not to reconnect by itself: link.ts does, as the server's Bye says. */
import { io } from "socket.io-client";
import { Lost, type Ack, type Door, type Heard, type Refused, type Transport } from "./transport";

const ACK_MS = 10_000;
const NAMES = ["hall:joined", "view:reset", "view:changed", "gauges:changed", "bye"];

export function openSocket(door: Door, heard: Heard): Transport {
  const auth = { code: door.code, token: door.token, lang: door.lang, ...(door.since ? { since: door.since } : {}) };
  const socket = io(`/${door.role}`, { transports: ["websocket"], reconnection: false, forceNew: true, timeout: 8_000, auth });
  let over = false;
  const end = (refused: Refused | null): void => {
    if (over) return;
    over = true;
    socket.disconnect();
    heard.closed(refused);
  };
  for (const name of NAMES) socket.on(name, (body: unknown) => heard.news(name, body));
  socket.on("connect_error", (error: Error & { data?: Refused }) => end(error.data?.code ? error.data : null));
  socket.on("disconnect", () => end(null));
  return {
    async send(command, payload) {
      if (!socket.connected) throw new Lost();
      try {
        return (await socket.timeout(ACK_MS).emitWithAck(command, payload)) as Ack;
      } catch {
        throw new Lost();
      }
    },
    resume(since) {
      socket.emit("view:resume", { since });
    },
    close() {
      over = true;
      socket.disconnect();
    },
  };
}
