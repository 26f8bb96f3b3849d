/** The HTML of every page: all alike but for the name of the page, so it is written once. One page for each folder of src/pages. */
import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import type { Plugin } from "vite";

function skeleton(name: string): string {
  return `<!doctype html>
<html lang="ko">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content" />
    <meta name="robots" content="noindex" />
    <meta name="color-scheme" content="light dark" />
    <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
    <title>Town hall</title>
  </head>
  <body class="page-${name}">
    <div id="page"></div>
    <script type="module" src="/src/pages/${name}/main.tsx"></script>
  </body>
</html>
`;
}

/** {name: path of its HTML, a file that only the build sees}. */
export function pagesOf(root: string): Record<string, string> {
  const names = readdirSync(resolve(root, "src/pages"), { withFileTypes: true }).filter((one) => one.isDirectory());
  return Object.fromEntries(names.map(({ name }) => [name, resolve(root, `${name}.html`)]).sort());
}

export function skeletons(pages: Record<string, string>): Plugin {
  const named = new Map(Object.entries(pages).map(([name, path]) => [path, name]));
  return {
    name: "skeletons",
    enforce: "pre",
    resolveId: (id) => (named.has(id) ? id : null),
    load: (id) => (named.has(id) ? skeleton(named.get(id)!) : null),
  };
}
