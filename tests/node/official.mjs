// The official JavaScript client, told what to do in JSON lines on stdin; tells what happens in JSON lines on stdout.
// {do: "open", id, url, role, auth} | {do: "send", id, number, name, payload} | {do: "close", id}
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { io } = createRequire(new URL("../../static/package.json", import.meta.url))("socket.io-client");
const sockets = new Map();
const tell = (what) => process.stdout.write(JSON.stringify(what) + "\n");

function open({ id, url, role, auth }) {
  let since = auth.since ?? null;
  // Everything else as it comes: the path, the heartbeat, the packets.
  const socket = io(`${url}/${role}`, { transports: ["websocket"], forceNew: true, auth: (give) => give({ ...auth, since }) });
  sockets.set(id, socket);
  socket.on("connect", () => tell({ id, what: "connected" }));
  socket.on("connect_error", (error) => tell({ id, what: "refused", data: error.data ?? null, active: socket.active }));
  socket.on("disconnect", (reason) => tell({ id, what: "disconnected", reason }));
  socket.onAny((name, body) => {
    if (name === "view:reset") since = { epoch: body.epoch, seq: body.seq };
    if (name === "view:changed") since = { epoch: since.epoch, seq: body.seq };
    if (name === "bye") {
      socket.disconnect();
      if (body.come_back_after_ms !== null) setTimeout(() => socket.connect(), body.come_back_after_ms);
    }
    tell({ id, what: "news", name, body });
  });
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const told = JSON.parse(line);
  if (told.do === "open") return open(told);
  const socket = sockets.get(told.id);
  if (told.do === "close") return socket.disconnect();
  socket.emit(told.name, told.payload, (ack) => tell({ id: told.id, what: "ack", number: told.number, ack }));
}).on("close", () => process.exit(0));
