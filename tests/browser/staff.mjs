// Staff by single sign-on in a real browser. Arguments: chat, issuer, code, address of the organiser's page, login of a host, what they are called.
import assert from "node:assert/strict";
import { launch } from "./browser.mjs";

const [chat, issuer, code, organise, login, called] = process.argv.slice(2);
const browser = await launch();

async function signIn(page, who) {
  await page.goto(`${issuer}/oidc/staff?code=${code}`);
  await page.waitForURL("**/interaction/**");
  await page.fill("input[name=login]", who);
  await page.fill("input[name=password]", "any");
  await page.click("button[type=submit]");
  await page.waitForLoadState();
  if (page.url().includes("/interaction/")) await page.click("button[type=submit]");
}

try {
  const context = await browser.newContext({ locale: "en" });
  const page = await context.newPage();
  const ran = [];
  page.on("dialog", (dialog) => void ran.push(dialog.message()) || void dialog.dismiss());
  page.on("pageerror", (error) => assert.fail(`${error}`));

  // Whoever has no role is told, and can try as somebody else.
  const stranger = await (await browser.newContext({ locale: "en" })).newPage();
  await signIn(stranger, "stranger");
  await stranger.getByText("have no staff role in this town hall").waitFor();
  await stranger.getByRole("button", { name: "Sign in" }).waitFor();

  // A host lands on the console; the grant leaves the address bar, and a reload comes in again.
  await signIn(page, login);
  await page.waitForURL(`${chat}/host/${code}**`);
  // Connected: it says whose console it is.
  await page.locator(".console", { hasText: called }).waitFor();
  assert.equal(new URL(page.url()).hash, "", "a grant stays in the address bar");
  await page.reload();
  await page.locator(".console", { hasText: called }).waitFor();

  // The link of the grant is bound to this browser: what its storage says opens nothing in another.
  const secret = await page.evaluate(() => sessionStorage.getItem(`townhall.secret.${location.pathname}`));
  assert.match(secret, /^[0-9a-f]{8}[\w-]{43}\.[\w-]{22}$/);
  const thief = await (await browser.newContext({ locale: "en" })).newPage();
  await thief.goto(`${chat}/host/${code}#${secret}`);
  await thief.getByText("already opened in another browser", { exact: false }).first().waitFor();
  assert.deepEqual((await context.cookies(issuer)).filter((one) => one.name === "townhall-session"), []);

  // The organiser sees them by name, whatever that is made of, and ends it.
  const organiser = await context.newPage();
  organiser.on("dialog", (dialog) => (dialog.type() === "confirm" ? dialog.accept() : (ran.push(dialog.message()), dialog.dismiss())));
  await organiser.goto(organise);
  await organiser.getByText(code).first().click();
  const row = organiser.locator("li.holds", { hasText: called });
  await row.waitFor();
  await row.getByRole("button", { name: "Revoke" }).click();
  await page.getByText("This link no longer works.", { exact: false }).first().waitFor({ timeout: 30_000 });

  // And signing in again brings nothing.
  const again = await context.newPage();
  again.on("dialog", (dialog) => void ran.push(dialog.message()) || void dialog.dismiss());
  await again.goto(`${issuer}/oidc/staff?code=${code}`);
  if (again.url().includes("/interaction/")) await again.click("button[type=submit]");
  await again.waitForURL(`${chat}/host/${code}**`);
  await again.getByText("This link no longer works.", { exact: false }).first().waitFor();
  assert.deepEqual(ran, [], "script ran");
  console.log("ok");
} finally {
  await browser.close();
}
