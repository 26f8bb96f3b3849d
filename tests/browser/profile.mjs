// A real Chromium with a profile that stays on the disk. Argument: {folder, camera, visits: [{url, before, ready, steps}]} as JSON. Each visit is a
// tab: its address is opened, `ready` is waited for, and each step [selector, method, ...arguments] is done on the page.
import { args, chromium, executablePath } from "./browser.mjs";

const { folder, camera, visits } = JSON.parse(process.argv[2]);
const film = camera ? ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${camera}`] : [];
const context = await chromium.launchPersistentContext(folder, { executablePath, args: [...args, ...film], locale: "en" });
try {
  for (const { url, before, ready, steps = [] } of visits) {
    const page = await context.newPage();
    if (before) await page.addInitScript({ content: before });
    await page.goto(url);
    await page.locator(ready).first().waitFor();
    for (const [selector, method, ...given] of steps) await page.locator(selector).first()[method](...given);
    // The address stands in the history with the title and the icon of its page, which come a moment later.
    await page.waitForTimeout(500);
  }
} finally {
  await context.close();
}
console.log("ok");
