// uWebSockets.js with its own publish(): the best that a C++ server does.
const uWS = require("@trufflesuite/uws-js-unofficial");
const { obey } = require("./publisher.js");

const app = uWS
  .App()
  .ws("/*", { idleTimeout: 0, maxBackpressure: 1 << 24, open: (socket) => socket.subscribe("demo") })
  .listen("127.0.0.1", Number(process.env.PORT), (token) => token || process.exit(1));
obey((messages) => {
  for (const message of messages) app.publish("demo", JSON.stringify(message), false);
});
