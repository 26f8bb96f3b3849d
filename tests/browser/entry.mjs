// From a link to a voice in a real browser: the issuer signs unseen, the token is shown in a round, a reload stays the same person,
// and lost storage means watching. Arguments: chat's address, issuer's address, code.
import assert from "node:assert/strict";
import { launch } from "./browser.mjs";

const [chat, issuer, code] = process.argv.slice(2);
const browser = await launch();
const asked = [];

async function arrive(context) {
  const page = await context.newPage();
  page.on("request", (request) => asked.push({ to: request.url(), from: page.url(), type: request.resourceType() }));
  page.on("pageerror", (error) => assert.fail(`${error}`));
  await page.goto(`${chat}/t/${code}?lang=en`);
  return page;
}

async function post(page, text) {
  await page.waitForFunction(() => !document.querySelector("#text")?.disabled, undefined, { timeout: 60_000 });
  await page.fill("#text", text);
  await page.press("#text", "Enter");
  await page.getByText(text).first().waitFor();
}

try {
  const first = await browser.newContext();
  const page = await arrive(first);
  await page.waitForURL(`${chat}/t/${code}?lang=en`);
  await post(page, "one voice");
  assert.equal(new URL(page.url()).hash, "", "the signature stays in the address bar");
  // Nothing but pages and their own origin's interface: no call crosses from one origin to the other.
  for (const { to, from, type } of asked) {
    if (type !== "document" && from.startsWith("http")) assert.equal(new URL(to).origin, new URL(from).origin, `${from} asked ${to}`);
  }
  await page.reload();
  await post(page, "the same voice after a reload");
  const names = await page.locator(".message .who, .who").allTextContents();
  assert.equal(new Set(names.filter(Boolean)).size, 1, `one person, several names: ${names}`);

  const second = await browser.newContext();
  const other = await arrive(second);
  await post(other, "another voice on another device");

  // The chat's storage is lost, the issuer's is not: one entry for each browser, so this one watches.
  await page.evaluate(() => {
    localStorage.clear();
    sessionStorage.clear();
    return new Promise((done) => {
      const request = indexedDB.deleteDatabase("townhall");
      request.onsuccess = request.onerror = request.onblocked = done;
    });
  });
  await page.goto(`${chat}/t/${code}?lang=en`);
  await page.getByText("You already have your entry").waitFor();
  assert.equal(await page.locator("#text").isDisabled(), true);
  await page.getByText("another voice on another device").first().waitFor();
  console.log("ok");
} finally {
  await browser.close();
}
