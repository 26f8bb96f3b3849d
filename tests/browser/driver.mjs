// A browser driven from outside: a request is a line of JSON on stdin, its answer a line of JSON on stdout.
// `browser.py` is the other end, and says what the requests mean.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { axeSource, decodeQR, launch } from "./browser.mjs";

const POLL_MS = 30;
const contexts = new Map();
const pages = new Map();
const browser = await launch();

/** Everything that should not happen in a page is written down: by default no test lets any of it pass. */
function watch(page, origin, problems) {
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problems.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => problems.push(`error: ${error.stack}`));
  page.on("request", (request) => foreign(request.url(), origin, problems));
  page.on("websocket", (socket) => foreign(socket.url().replace(/^ws/, "http"), origin, problems));
}

function foreign(url, origin, problems) {
  if (!/^(data|blob):/.test(url) && new URL(url).origin !== origin) problems.push(`foreign: ${url}`);
}

const requests = {
  async context({ context, origin, options, closed, storage, agree }) {
    const made = await browser.newContext(options);
    await made.addInitScript(() => {
      window.__reports = [];
      document.addEventListener("securitypolicyviolation", (event) => window.__reports.push(`${event.violatedDirective} ${event.blockedURI}`));
    });
    if (storage) {
      await made.addInitScript((kept) => {
        for (const [key, value] of Object.entries(kept)) localStorage.setItem(key, value);
      }, storage);
    }
    if (closed) await made.route((url) => url.origin !== origin, (route) => route.abort());
    contexts.set(context, { made, origin, agree });
  },
  async page({ page, context, before }) {
    const { made, origin, agree } = contexts.get(context);
    const opened = await made.newPage();
    const problems = [];
    watch(opened, origin, problems);
    opened.on("dialog", (dialog) => {
      if (!agree) problems.push(`dialog: ${dialog.message()}`);
      return agree ? dialog.accept() : dialog.dismiss();
    });
    if (before) await opened.addInitScript({ content: before });
    pages.set(page, { opened, problems });
  },
  /** `steps`: [[method, ...arguments], …], each called on what the one before gave, the first on the page. */
  async act({ page, steps }) {
    let on = pages.get(page).opened;
    for (const [name, ...given] of steps) {
      if (name.includes(".")) {
        const [part, method] = name.split(".");
        on = await on[part][method](...given);
      } else if (name === "evaluate") on = await on.evaluate(code(given[0]), given[1]);
      else on = await on[name](...given);
    }
    return plain(on);
  },
  /** Until `expression` (of the page) is true; what it was at the end either way. An error of its own means: not yet. */
  async until({ page, expression, given, timeout_ms }) {
    const ends = Date.now() + timeout_ms;
    for (;;) {
      let failed = null;
      const value = await pages.get(page).opened.evaluate(code(expression), given).catch((error) => {
        failed = error;
        return null;
      });
      if (value) return value;
      if (Date.now() > ends) {
        if (failed && !/context was destroyed|navigat/i.test(String(failed))) throw failed;
        return value;
      }
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
  },
  async download({ page, selector }) {
    const { opened } = pages.get(page);
    const [download] = await Promise.all([opened.waitForEvent("download"), opened.locator(selector).click()]);
    return readFileSync(await download.path(), "utf8");
  },
  /** As a camera sees it: the picture's pixels, read by a decoder. */
  async decoded({ page, selector }) {
    const { opened } = pages.get(page);
    const picture = await opened.locator(selector).screenshot();
    const { width, height, data } = await opened.evaluate(pixels, picture.toString("base64"));
    return decodeQR({ width, height, data: Uint8Array.from(data) });
  },
  async printed({ page }) {
    const pdf = await pages.get(page).opened.pdf({ format: "A4", margin: { top: "10mm", bottom: "10mm", left: "12mm", right: "12mm" } });
    return pdf.toString("latin1").match(/\/Type\s*\/Page\b/g).length;
  },
  async axe({ page }) {
    const { opened } = pages.get(page);
    await opened.evaluate(settled);
    if (!(await opened.evaluate("window.axe !== undefined"))) await opened.evaluate(axeSource);
    const { violations } = await opened.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
    return violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map((node) => `${node.html.slice(0, 200)} ${node.failureSummary}`) }));
  },
  /** What sticks out of the page or is cut off, in words. */
  async spills({ page }) {
    const { opened } = pages.get(page);
    await opened.evaluate(settled);
    return opened.evaluate(spills);
  },
  /** What Playwright has no method for: the DevTools protocol's own. */
  async cdp({ page, method, params }) {
    const { opened } = pages.get(page);
    const session = await opened.context().newCDPSession(opened);
    await session.send(method, params);
    await session.detach();
  },
  /** What should not have happened since the last time it was asked for. */
  async problems({ page }) {
    return pages.get(page).problems.splice(0);
  },
  async offline({ context, on }) {
    await contexts.get(context).made.setOffline(on);
  },
  async close({ context }) {
    await contexts.get(context).made.close();
    contexts.delete(context);
  },
};

/** Runs in the page: what is on its way to another colour or place is not worth measuring. */
async function settled() {
  for (let frame = 0; frame < 2; frame++) await new Promise((done) => requestAnimationFrame(done));
  for (const one of document.getAnimations()) if (one.effect.getTiming().iterations !== Infinity) one.finish();
}

/** Runs in the page. Cut off is what can be neither seen nor scrolled to; what ends in an ellipsis says so itself. */
function spills() {
  const found = new Set();
  const width = document.documentElement.clientWidth;
  const say = (what, one) => found.add(`${what}: ${one.tagName.toLowerCase()}.${one.className} ${(one.innerText ?? "").slice(0, 60)}`);
  const whole = document.documentElement.scrollWidth;
  if (whole > width) found.add(`the page is ${whole} wide in ${width}`);
  for (const one of document.body.querySelectorAll("*")) {
    if (one.closest(".hidden, .skip, option, svg *, input, textarea") || !one.checkVisibility({ visibilityProperty: true })) continue;
    const box = one.getBoundingClientRect();
    if (!box.width || !box.height) continue;
    const style = getComputedStyle(one);
    const wider = one.scrollWidth > one.clientWidth + 1 && style.display !== "inline";
    const higher = one.scrollHeight > one.clientHeight + 1 && style.display !== "inline";
    if (!inScroller(one) && (box.right > width + 1 || box.left < -1)) say(`sticks out, ${box.left} to ${box.right} of ${width}`, one);
    const says = style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none";
    if (/hidden|clip/.test(style.overflowX) && !says && wider) say("cut off at its side", one);
    if (/hidden|clip/.test(style.overflowY) && !says && higher) say("cut off below", one);
    if (/auto|scroll/.test(style.overflowX) && wider && !one.matches(".table, .toolbar")) say("scrolls sideways", one);
  }
  return [...found].slice(0, 20);

  function inScroller(one) {
    for (let at = one.parentElement; at; at = at.parentElement) {
      if (/auto|scroll/.test(getComputedStyle(at).overflowX) && at.scrollWidth > at.clientWidth) return true;
    }
    return false;
  }
}

/** Runs in the page: a PNG's pixels. */
async function pixels(base64) {
  const picture = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))]));
  const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
  canvas.drawImage(picture, 0, 0);
  return { width: picture.width, height: picture.height, data: Array.from(canvas.getImageData(0, 0, picture.width, picture.height).data) };
}

/** `(given) => …` as the function that it is; any other text is an expression. */
function code(text) {
  return /^\(\w*\) =>/.test(text) ? new Function(`return ${text}`)() : text;
}

function plain(value) {
  if (value === undefined || value === null) return null;
  const kind = Object.getPrototypeOf(value);
  return typeof value !== "object" || kind === Object.prototype || kind === Array.prototype ? value : null;
}

const lines = createInterface({ input: process.stdin });
lines.on("line", async (line) => {
  const { id, name, ...given } = JSON.parse(line);
  let answer;
  try {
    answer = { id, value: (await requests[name](given)) ?? null };
  } catch (error) {
    answer = { id, error: String(error.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
lines.on("close", async () => {
  await browser.close();
  process.exit(0);
});
