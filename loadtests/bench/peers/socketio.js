// Socket.IO on Node with its default engine (ws).
const { createServer } = require("http");
const { Server } = require("socket.io");
const { obey } = require("./publisher.js");

const http = createServer();
const io = new Server(http, { transports: ["websocket"] });
io.on("connection", (socket) => socket.join("demo"));
http.listen(Number(process.env.PORT), "127.0.0.1", 4096);
obey((messages) => {
  for (const message of messages) io.to("demo").emit("message", message);
});
