// A real Chromium, from Debian's packages, as these tests start it: no network but the loopback, nothing in the background.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../static/package.json", import.meta.url));
export const { chromium } = require("playwright-core");
export const { default: decodeQR } = await import(require.resolve("qr/decode.js"));
export const axeSource = require("axe-core").source;

export const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

export async function launch() {
  return chromium.launch({ executablePath, args });
}
