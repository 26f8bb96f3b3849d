import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

const pages = Object.fromEntries(
  ["join", "audience", "host", "director", "overlay", "organiser"].map((name) => [name, resolve(import.meta.dirname, `${name}.html`)]),
);

// One entry a page. Everything is served by our own server under /assets, hashed; no inline script or style anywhere.
export default defineConfig({
  base: "/",
  build: {
    outDir: "../server/_pages",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: true,
    target: "es2022",
    rollupOptions: { input: pages },
    chunkSizeWarningLimit: 700,
  },
  test: { environment: "jsdom", include: ["src/**/*.test.ts", "src/**/*.test.tsx"] },
});
