// Two ways of being eligible in a real browser, and what an employee is shown. Arguments: chat, issuer, code, host's link, issuer's
// key, then `invitation ADDRESS` or `oidc LOGIN`.
import assert from "node:assert/strict";
import { launch } from "./browser.mjs";
import { Counts, EVIL, lured } from "./lures.mjs";

const [chat, issuer, code, host, key, way, what] = process.argv.slice(2);
const browser = await launch();
const counts = new Counts(chat, issuer, code, key);

/** A command of the host, as the console sends it: the link's secret is exchanged for a ticket first. */
async function asHost(command, payload) {
  const [address, secret] = host.split("#");
  const base = `${new URL(address).origin}/api/v1/halls/${code}/host`;
  const ticket = await (await fetch(`${base}/ticket`, { method: "POST", headers: { Authorization: `Bearer ${secret}` } })).json();
  assert.ok(ticket.ok, JSON.stringify(ticket));
  const headers = { Authorization: `Bearer ${ticket.data.ticket}`, "Content-Type": "application/json" };
  const body = JSON.stringify({ command, payload: { client_id: crypto.randomUUID(), ...payload } });
  const ack = await (await fetch(`${base}/commands`, { method: "POST", headers, body })).json();
  assert.ok(ack.ok, JSON.stringify(ack));
}

async function writable(page) {
  await page.waitForFunction(() => document.querySelector("#text") && !document.querySelector("#text").disabled, undefined, { timeout: 60_000 });
}

/** At the provider's page. */
async function signIn(page) {
  await page.waitForURL("**/interaction/**");
  await page.fill("input[name=login]", what);
  await page.fill("input[name=password]", "any");
  await page.click("button[type=submit]");
  await page.waitForLoadState();
  if (page.url().includes("/interaction/")) await page.click("button[type=submit]");
}

/** Press the button of the issuer's page, show who one is where that is asked, and be back at the chat. */
async function takePart(page, signedIn = false) {
  page.on("pageerror", (error) => assert.fail(`${error}`));
  page.on("request", (request) => {
    if (request.url().endsWith("/sign")) assert.notEqual(request.postDataJSON().blinded, EVIL, "the attacker's value is to be signed");
  });
  await page.getByRole("button", { name: "take part", exact: false }).click();
  if (way === "oidc" && signedIn) {
    // The provider knows who it is, and asks whether that is still wanted.
    await page.waitForURL("**/interaction/**");
    await page.click("button[type=submit]");
  } else if (way === "oidc") await signIn(page);
  await page.waitForURL(`${chat}/t/${code}**`);
  await page.locator("#composer").waitFor();
  return page;
}

/** To the chat's page as the person does who was invited, or signs in. */
async function arrive(context, signedIn = false) {
  const page = await context.newPage();
  await page.goto(way === "invitation" ? what : `${chat}/t/${code}?lang=en`);
  await page.waitForURL(`${issuer}/admit/**`);
  return takePart(page, signedIn);
}

/** It sees everything, may not write, is told why, and what it can do. */
async function watchesOnly(page) {
  await page.getByText("You already have your entry to this town hall").waitFor({ timeout: 60_000 });
  assert.equal(await page.locator("#text").isDisabled(), true);
  await page.getByText("There are too many meetings.").first().waitFor();
  for (const name of ["Come in with a saved file", "Come in with a printed code"]) await page.getByRole("button", { name }).waitFor();
}

try {
  // Neither a mere visit nor a link that somebody else has made signs anything: not with an invitation, nor while a session at the
  // provider and at the issuer lives. Whoever presses there gets an entry of their own.
  const context = await browser.newContext({ locale: "en" });
  if (way === "oidc") {
    await (await lured(context, counts)).close();
    const login = await context.newPage();
    await login.goto(`${issuer}/oidc/login?code=${code}&tab=${"z".repeat(32)}`);
    await signIn(login);
    await login.waitForURL(`${issuer}/admit/${code}`);
    await login.close();
  }
  const page = await lured(context, counts, way === "invitation" ? [new URL(what).hash] : []);
  assert.deepEqual([await counts.issued(), await counts.participants()], [0, 0], "a mere visit counts");
  if (way === "invitation") await page.fill("#invitation", new URLSearchParams(new URL(what).hash.slice(1)).get("i"));
  await takePart(page, true);
  await writable(page);
  assert.equal(await counts.issued(), 1);
  assert.equal(new URL(page.url()).hash, "", "a secret stays in the address bar");
  assert.equal((await context.cookies(chat)).filter((cookie) => !cookie.name.startsWith("townhall-") && !cookie.name.startsWith("_")).length, 0);

  // What tells who wrote it is hinted at, and whoever wrote it decides.
  await page.fill("#text", "I am the only one in our office who works nights.");
  await page.press("#text", "Enter");
  await page.locator(".hints").waitFor();
  assert.equal(await page.locator(".message.mine").count(), 0, "it was sent all the same");
  await page.getByRole("button", { name: "Edit it" }).click();
  await page.fill("#text", "There are too many meetings.");
  await page.press("#text", "Enter");
  await page.locator(".message.mine:not(.own)").first().waitFor();

  // The lock shows exactly what is stored.
  await page.getByRole("button", { name: "What is stored about this message?" }).click();
  const stored = page.locator("pre.stored");
  await page.waitForFunction(() => document.querySelector("pre.stored")?.textContent?.includes("message.posted"));
  const shown = JSON.parse(await stored.textContent());
  assert.equal(shown.text, "There are too many meetings.");
  assert.deepEqual(Object.keys(shown.entry).filter((key) => !["kind", "at", "author", "pseudonym", "asked", "held", "findings"].includes(key)), []);
  // And the issuer's key, in the words that are read out on air.
  await page.waitForFunction(() => document.querySelectorAll(".fingerprint li").length === 6);
  await page.getByRole("button", { name: "Close" }).click();

  // Muted: the page says so, with the reason.
  await asHost("author:mute", { message: shown.seq, reason: "spam" });
  await page.fill("#text", "And one more thing.");
  await page.press("#text", "Enter");
  await page.getByText("The host has muted you. Reason:").waitFor();

  // The page for employees is a step away, and tells the hash of what it is made of.
  const told = await context.newPage();
  await told.goto(`${chat}/privacy?lang=en`);
  await told.getByText("No record that the server keeps, or ever held,").waitFor();
  const { pages } = await (await fetch(`${chat}/.well-known/townhall`)).json();
  await told.getByText(pages.sha256).waitFor();

  // The same person on a second device watches: one entry for each person.
  const second = await browser.newContext({ locale: "en" });
  await watchesOnly(await arrive(second));

  // And where this browser has lost its storage, the person is where a second device is.
  await page.evaluate(() => {
    sessionStorage.clear();
    localStorage.clear();
    return new Promise((done) => {
      const request = indexedDB.deleteDatabase("townhall");
      request.onsuccess = request.onerror = request.onblocked = done;
    });
  });
  await context.clearCookies();
  await page.close();
  await watchesOnly(await arrive(context));
  assert.equal(await counts.issued(), 1);

  // A staff link that is revoked ends the console that came by it, and says so. Its secret is not in the address bar.
  const desk = await (await browser.newContext({ locale: "en" })).newPage();
  await desk.goto(host);
  await desk.getByText("There are too many meetings.").first().waitFor();
  assert.equal(new URL(desk.url()).hash, "", "the link's secret stays in the address bar");
  await desk.reload();
  await desk.getByText("There are too many meetings.").first().waitFor();
  console.log("ready to revoke");
  await desk.getByText("This link no longer works").first().waitFor({ timeout: 60_000 });
  console.log("ok");
} finally {
  await browser.close();
}
