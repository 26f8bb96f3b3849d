import { defineConfig } from "vitest/config";
import { budget } from "./build/budget.ts";
import { pagesOf, skeletons } from "./build/skeleton.ts";

const FIRST_LOAD_BYTES_MAX = 90_000;
const pages = pagesOf(import.meta.dirname);

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
  plugins: [skeletons(pages), budget("audience", FIRST_LOAD_BYTES_MAX, ["/hls.js/", "/blindrsa-ts/", "/sjcl/", "/node_modules/qr/", "/audience/Keep", "/audience/Restore", "/audience/Stored"])],
  test: { environment: "jsdom", include: ["src/**/*.test.ts", "src/**/*.test.tsx", "build/**/*.test.ts"] },
});
