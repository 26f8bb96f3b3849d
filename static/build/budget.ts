/** How much a phone loads before it shows the chat. The build fails where that grows past its bound. */
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** A file of the build: what it holds, and which files it brings with it at once or later. */
export interface Part {
  bytes: Uint8Array | string;
  brings: string[];
  modules: string[];
}

/** The language of a catalogue's section; null: another module. */
function languageOf(part: Part): string | null {
  const [only, ...more] = part.modules;
  return more.length === 0 ? (/\/catalogue\/(\w+)\/[^/]+\.json$/.exec(only ?? "")?.[1] ?? null) : null;
}

/**
 * Bytes, gzipped, of all that `entry` may bring with it, file by file as the server sends them: an upper bound of the first load.
 * Left out: what is built from a module whose path contains one of `later`, and all languages but the heaviest.
 */
export function firstLoad(parts: ReadonlyMap<string, Part>, entry: string, later: readonly string[] = []): number {
  const seen = new Set<string>();
  const languages: Record<string, number> = {};
  let always = 0;
  (function take(name: string): void {
    const part = parts.get(name);
    if (!part) throw new Error(`${entry} brings ${name}, which is not in the build`);
    if (seen.has(name) || part.modules.some((path) => later.some((word) => path.includes(word)))) return;
    seen.add(name);
    const size = gzipSync(part.bytes, { level: 9 }).length;
    const language = languageOf(part);
    if (language === null) always += size;
    else languages[language] = (languages[language] ?? 0) + size;
    part.brings.forEach(take);
  })(entry);
  return always + Math.max(0, ...Object.values(languages));
}

/** Refuses a build in which the page `name` needs more than `bytes_max`, gzipped, of script and style. */
export function budget(name: string, bytesMax: number, later: readonly string[]): Plugin {
  return {
    name: "first-load-budget",
    apply: "build",
    writeBundle(_, bundle) {
      const parts = new Map<string, Part>();
      let entry: string | undefined;
      for (const [file, made] of Object.entries(bundle)) {
        if (made.type === "asset") {
          parts.set(file, { bytes: made.source, brings: [], modules: [] });
          continue;
        }
        const styles = [...(made.viteMetadata?.importedCss ?? [])];
        parts.set(file, {
          bytes: made.code,
          brings: [...made.imports, ...made.dynamicImports, ...styles],
          modules: made.moduleIds,
        });
        if (made.isEntry && made.name === name) entry = file;
      }
      if (entry === undefined) throw new Error(`there is no page "${name}" to weigh`);
      const found = firstLoad(parts, entry, later);
      const told = `first load of the ${name} page: ${(found / 1000).toFixed(1)} kB of at most ${bytesMax / 1000} kB, gzipped`;
      if (found > bytesMax) this.error(told);
      console.log(told);
    },
  };
}
