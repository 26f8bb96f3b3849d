// Pictures of every page: `node tests/browser/screens.mjs ADDRESSES FOLDER`, where ADDRESSES is what `townhall demo` printed.
import { mkdirSync, readFileSync } from "node:fs";
import { launch } from "./browser.mjs";

const [, , addresses, folder, only] = process.argv;
const lines = readFileSync(addresses, "utf8").split("\n");
const address = (role) => lines.find((line) => line.startsWith(`${role}: `))?.split(" ")[1];
mkdirSync(folder, { recursive: true });
const browser = await launch();
const pages = ["join", "audience", "questions", "host", "director", "overlay", "organiser"].filter((name) => !only || only.split(",").includes(name));
for (const name of pages) {
  // One browser for each page: a staff link and the organiser's address open in the first one only.
  const context = await browser.newContext({ locale: "ko", deviceScaleFactor: 1 });
  for (const lang of ["ko", "en"]) {
    for (const [width, height] of [[360, 780], [768, 1024], [1440, 900]]) {
      if (name === "overlay" && width !== 1440) continue;
      const page = await context.newPage();
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme: lang === "en" && width === 1440 ? "dark" : "light" });
      page.on("console", (message) => ["error", "warning"].includes(message.type()) && console.log(name, lang, width, message.text()));
      page.on("pageerror", (error) => console.log(name, lang, width, String(error)));
      const role = name === "join" ? "audience" : name === "questions" ? "audience" : name;
      let url = new URL(address(role));
      if (name === "join") url = new URL("/", url);
      url.searchParams.set("lang", lang);
      await page.goto(url.href);
      await page.waitForTimeout(1200);
      if (name === "questions") await page.getByRole("tab").nth(1).click();
      if (name === "host") await page.locator(".stream .item").last().click();
      if (name === "organiser") {
        await page.locator(".halls .card").first().click();
        await page.waitForTimeout(300);
      }
      await page.waitForTimeout(300);
      await page.screenshot({ path: `${folder}/${name}-${lang}-${width}.png`, fullPage: name === "organiser" });
      await page.close();
    }
  }
  await context.close();
}
await browser.close();
