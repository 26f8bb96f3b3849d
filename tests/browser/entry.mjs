// From a link to a voice in a real browser: nothing is signed before a press, the issuer signs unseen, the token is shown in a round,
// a reload stays the same person, and lost storage means watching. Arguments: chat's address, issuer's address, code, issuer's key.
import assert from "node:assert/strict";
import { launch } from "./browser.mjs";
import { Counts, EVIL, lured } from "./lures.mjs";

const [chat, issuer, code, key] = process.argv.slice(2);
const counts = new Counts(chat, issuer, code, key);
const browser = await launch();
const asked = [];

async function arrive(context) {
  const page = await context.newPage();
  page.on("request", (request) => {
    if (request.url().endsWith("/sign")) assert.notEqual(request.postDataJSON().blinded, EVIL, "the attacker's value is to be signed");
  });
  page.on("request", (request) => asked.push({ to: request.url(), from: page.url(), type: request.resourceType() }));
  page.on("pageerror", (error) => assert.fail(`${error}`));
  await page.goto(`${chat}/t/${code}?lang=en`);
  return page;
}

/** At the issuer's page press the button; then be back. */
async function takePart(page) {
  await page.waitForURL(`${issuer}/admit/**`);
  await page.getByRole("button", { name: "Take part" }).click();
  await page.waitForURL(`${chat}/t/**`);
  await page.locator("#composer").waitFor();
}

async function post(page, text) {
  await page.waitForFunction(() => !document.querySelector("#text")?.disabled, undefined, { timeout: 60_000 });
  await page.fill("#text", text);
  await page.press("#text", "Enter");
  await page.getByText(text).first().waitFor();
}

try {
  // Whoever only looks takes no part, and is counted nowhere.
  const onlooker = await (await browser.newContext({ locale: "en" })).newPage();
  await onlooker.goto(`${chat}/t/${code}?lang=en`);
  await onlooker.waitForURL(`${issuer}/admit/**`);
  await onlooker.getByRole("button", { name: "Only watch" }).click();
  await onlooker.getByText("You can only watch for now").first().waitFor();
  assert.deepEqual([await counts.issued(), await counts.participants()], [0, 0], "a mere visit counts");

  // Nor does whoever follows a link that somebody has made; whoever presses there gets an entry of their own.
  const victim = await lured(await browser.newContext({ locale: "en" }), counts);
  assert.deepEqual([await counts.issued(), await counts.participants()], [0, 0]);
  victim.on("request", (request) => {
    if (request.url().endsWith("/sign")) assert.notEqual(request.postDataJSON().blinded, EVIL, "the attacker's value is to be signed");
  });
  await takePart(victim);
  await post(victim, "the voice of whoever was sent a link");
  assert.equal(await counts.issued(), 1);
  // With an entry, the issuer's page finds out nothing more, whoever sends one there.
  for (const again of [`${chat}/t/${code}?lang=en#ask=${"y".repeat(32)}`, `${issuer}/admit/${code}`]) {
    await victim.goto("about:blank");
    await victim.goto(again);
    if (again.startsWith(issuer)) await victim.getByRole("button", { name: "Take part" }).click();
    await victim.getByText("You already have your entry, and nothing more was asked of you").first().waitFor();
    assert.equal(new URL(victim.url()).origin, chat);
    assert.equal(await victim.locator("#text").isDisabled(), true, "it takes part in the moment in which it comes from the issuer");
  }
  assert.equal(await counts.issued(), 1);
  await victim.getByRole("button", { name: "Take part now" }).click();
  await post(victim, "the same after having been away");

  const first = await browser.newContext();
  const page = await arrive(first);
  await takePart(page);
  await post(page, "one voice");
  assert.equal(new URL(page.url()).hash, "", "the signature stays in the address bar");
  // Nothing but pages and their own origin's interface: no call crosses from one origin to the other.
  for (const { to, from, type } of asked) {
    if (type !== "document" && from.startsWith("http")) assert.equal(new URL(to).origin, new URL(from).origin, `${from} asked ${to}`);
  }
  await page.reload();
  await post(page, "the same voice after a reload");
  const names = (await page.locator(".message .who, .who").allTextContents()).filter(Boolean);
  assert.equal(new Set(names).size, 2, `two people, other than two names: ${names}`);

  const second = await browser.newContext();
  const other = await arrive(second);
  await takePart(other);
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
  await takePart(page);
  await page.getByText("You already have your entry to this town hall").waitFor();
  assert.equal(await page.locator("#text").isDisabled(), true);
  await page.getByText("another voice on another device").first().waitFor();

  // A browser that keeps nothing says so in a sentence, and watches.
  const forgetful = await browser.newContext({ locale: "en" });
  await forgetful.addInitScript(() => {
    for (const name of ["sessionStorage", "localStorage"]) {
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException("denied", "SecurityError");
        },
      });
    }
  });
  const blocked = await forgetful.newPage();
  blocked.on("pageerror", (error) => assert.fail(`${error}`));
  await blocked.goto(`${chat}/t/${code}?lang=en`);
  await blocked.getByText("This browser cannot keep an entry").first().waitFor();
  await blocked.getByText("another voice on another device").first().waitFor();
  await blocked.goto(`${issuer}/admit/${code}`);
  await blocked.getByRole("button", { name: "Take part" }).click();
  await blocked.getByText("This browser cannot remember that you pressed the button").waitFor();
  console.log("ok");
} finally {
  await browser.close();
}
