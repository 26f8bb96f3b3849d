// Two tabs of one browser go the way to an entry at once. Arguments: chat, code, milliseconds between the two presses.
import assert from "node:assert/strict";
import { launch } from "./browser.mjs";

const [chat, code, apart] = process.argv.slice(2);
const browser = await launch();
try {
  const context = await browser.newContext({ locale: "en" });
  const tabs = [await context.newPage(), await context.newPage()];
  for (const tab of tabs) tab.on("pageerror", (error) => assert.fail(`${error}`));
  await Promise.all(tabs.map((tab) => tab.goto(`${chat}/t/${code}?lang=en`)));
  await Promise.all(tabs.map((tab) => tab.waitForURL("**/admit/**")));
  const buttons = tabs.map((tab) => tab.getByRole("button", { name: "Take part" }));
  await Promise.all(buttons.map((button) => button.waitFor()));
  await buttons[0].click();
  await new Promise((done) => setTimeout(done, Number(apart)));
  await buttons[1].click();
  await Promise.all(tabs.map((tab) => tab.waitForFunction(() => document.querySelector("#text") && !document.querySelector("#text").disabled, undefined, { timeout: 60_000 })));
  await tabs[0].fill("#text", "From the first tab.");
  await tabs[0].press("#text", "Enter");
  await tabs[1].getByText("From the first tab.").first().waitFor();
  console.log("ok");
} finally {
  await browser.close();
}
