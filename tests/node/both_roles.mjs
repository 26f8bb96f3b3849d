// The official Socket.IO client, as a page of the audience and of the host use it: joins, posts, reads, says what it saw.
// node both_roles.mjs URL CODE TICKET HOST_TOKEN → one line of JSON.
import { createRequire } from "node:module";

const { io } = createRequire(new URL("../../static/package.json", import.meta.url))("socket.io-client");
const [url, code, ticket, hostToken] = process.argv.slice(2);
const seen = { audience: [], host: [], sockets: 0 };

function join(role, token) {
  const socket = io(`${url}/${role}`, { transports: ["websocket"], auth: { code, token, lang: "ko" } });
  for (const name of ["hall:joined", "view:reset", "view:changed", "gauges:changed", "bye"])
    socket.on(name, (body) => seen[role].push([name, body]));
  return new Promise((done, failed) => {
    socket.on("view:reset", () => done(socket));
    socket.on("connect_error", (error) => failed(error));
  });
}

const audience = await join("audience", ticket);
const host = await join("host", hostToken);
seen.sockets = new Set([audience.io, host.io]).size;
const command = (socket, name, payload) =>
  socket.timeout(10_000).emitWithAck(name, { client_id: crypto.randomUUID(), ...payload });
const acks = [];
for (let n = 0; n < 3; n++) acks.push(await command(audience, "message:post", { text: `글 ${n}`, asked: n === 2 }));
acks.push(await command(host, "question:pick", { message: acks[2].seq }));
const last = acks.at(-1).seq;
const reached = (role) => seen[role].some(([name, body]) => name === "view:changed" && body.seq >= last);
while (!reached("audience") || !reached("host")) await new Promise((done) => setTimeout(done, 10));
seen.refused = await join("director", "nobody").catch((error) => error.data);
audience.disconnect();
host.disconnect();
console.log(JSON.stringify({ ...seen, acks }));
process.exit(0);
