// One browser, one jar: a cookie of the issuer's host goes to the issuer with everything and to the chat with nothing.
// Arguments: chat's address, issuer's address, code.
import assert from "node:assert/strict";
import { launch } from "./browser.mjs";

const [chat, issuer, code] = process.argv.slice(2);
const browser = await launch();
const sent = [];

try {
  const context = await browser.newContext({ locale: "en" });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  session.on("Network.requestWillBeSentExtraInfo", ({ headers }) => sent.push(headers));
  session.on("Network.webSocketWillSendHandshakeRequest", ({ request }) => sent.push({ socket: "yes", ...request.headers }));
  // The widest there can be: for every path of the host, whatever the port.
  await context.addCookies([{ name: "townhall-session", value: "somebody", domain: new URL(issuer).hostname, path: "/", httpOnly: true, sameSite: "Lax" }]);

  await page.goto(`${issuer}/admit/${code}`);
  await page.goto(`${chat}/organiser`);
  await page.evaluate(async (code) => {
    await fetch(`/api/v1/halls/${code}`);
    for (const what of ["join", "nonce", "redeem"]) await fetch(`/api/v1/halls/${code}/${what}`, { method: "POST" });
    const socket = new WebSocket(`ws://${location.host}/socket.io/?EIO=4&transport=websocket`);
    await new Promise((done) => (socket.onopen = done));
    socket.close();
  }, code);
  await page.goto(`${issuer}/healthz`);

  const lowered = sent.map((headers) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])));
  const to = (url) => lowered.filter((headers) => headers.host === new URL(url).host);
  // What the issuer's page asks for by itself goes without cookies too, but for the one request that needs them.
  assert.ok(to(issuer).filter((headers) => headers.cookie?.includes("somebody")).length >= 2, JSON.stringify(to(issuer)));
  assert.ok(to(chat).length >= 6 && to(chat).some((headers) => headers.socket), JSON.stringify(to(chat)));
  assert.deepEqual(to(chat).filter((headers) => headers.cookie), []);
  console.log("ok");
} finally {
  await browser.close();
}
