// The README's pictures: `node tests/browser/pictures.mjs ADDRESSES FOLDER TEXT`. ADDRESSES: what `townhall demo` printed;
// TEXT: a question that the employee in the pictures asks. Started by tools/screenshots.py.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { launch } from "./browser.mjs";

const [, , addresses, folder, text] = process.argv;
const lines = readFileSync(addresses, "utf8").split("\n");
const address = (role, who = "") => lines.find((line) => line.startsWith(`${role}: `) && line.includes(who)).split(" ")[1];
mkdirSync(folder, { recursive: true });
const browser = await launch();

/** One page, ready when `ready` is visible. `before` may prepare it. */
async function open(url, { width, height, scale = 1, dark = false, ready, script }) {
  const context = await browser.newContext({ viewport: { width, height }, deviceScaleFactor: scale, locale: "ko", colorScheme: dark ? "dark" : "light", timezoneId: "Asia/Seoul", hasTouch: scale > 1, isMobile: scale > 1 });
  const page = await context.newPage();
  if (script) await page.addInitScript(script);
  await page.goto(url);
  await page.locator(ready).first().waitFor();
  return page;
}

/** A picture as WebP, once fonts are there and movement has ended. */
async function take(page, name) {
  await page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.all(document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime !== Infinity).map((one) => one.finished));
  });
  const cdp = await page.context().newCDPSession(page);
  const { data } = await cdp.send("Page.captureScreenshot", { format: "webp", quality: 82 });
  writeFileSync(join(folder, `${name}.webp`), Buffer.from(data, "base64"));
  await page.context().close();
}

const PHONE = { width: 390, height: 844, scale: 2 };

// Over the issuer and back: ready is who may write.
const audience = await open(address("audience"), { ...PHONE, ready: "#text:enabled" });
await audience.locator(".ask").tap();
await audience.locator("#text").fill(text);
await audience.locator(".send").tap();
await audience.locator(".message.mine .chip.asked").waitFor();
await audience.locator(".message.mine .support").waitFor();
await take(audience, "audience");

const questions = await open(address("audience"), { ...PHONE, dark: true, ready: "#text:enabled" });
await questions.locator("#tab-questions").tap();
await questions.locator(".questions .segments button").nth(1).tap();
await questions.locator(".question-card").first().waitFor();
await questions.locator(".question-card:has(.written)").evaluate((card) => card.scrollIntoView({ block: "center" }));
await take(questions, "questions");

const joining = await open(new URL("/", address("audience")).href, { ...PHONE, ready: "#code" });
await joining.locator("#code").fill("DEMO24");
await take(joining, "join");

const host = await open(address("host"), { width: 1440, height: 900, ready: ".stream .item" });
await host.locator(".stream .item", { hasText: "온나라" }).click();
await take(host, "host");

const director = await open(address("director", "자치안전행정국"), { width: 1024, height: 768, ready: ".your-turn" });
await take(director, "director");

const organiser = await open(address("organiser"), { width: 1280, height: 900, ready: ".halls .card" });
await organiser.locator(".halls .card").first().click();
await organiser.locator(".links").waitFor();
await take(organiser, "organiser");

const overlay = await open(`${address("overlay").replace("#", "?ticker=0#")}`, { width: 1280, height: 720, ready: ".third", script: () => (window.obsstudio = {}) });
// A still picture in place of the camera: the overlay itself is transparent.
await overlay.evaluate(() => {
  document.body.style.background =
    "radial-gradient(60% 50% at 70% 30%, rgb(255 214 160 / 55%), transparent), radial-gradient(40% 60% at 22% 38%, rgb(120 170 200 / 50%), transparent), linear-gradient(#2a3a46, #55626a 62%, #3a3026 62.5%, #1d1712)";
});
await take(overlay, "overlay");
await browser.close();
