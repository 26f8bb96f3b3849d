// The page's own rules (static/src/admission/rounds.ts), asked from outside: [times, chances] a line in, what they say a line out.
import { readFileSync, writeFileSync, mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [pages] = process.argv.slice(2);
const ts = createRequire(join(pages, "package.json"))("typescript");
const source = readFileSync(join(pages, "src/admission/rounds.ts"), "utf8");
const made = ts.transpileModule(source, { compilerOptions: { module: "ESNext", target: "ES2022" } }).outputText;
const file = join(mkdtempSync(join(tmpdir(), "rounds-")), "rounds.mjs");
writeFileSync(file, made);
const rules = await import(pathToFileURL(file));
const constants = Object.fromEntries(Object.entries(rules).filter(([, value]) => typeof value !== "function"));
const asked = JSON.parse(readFileSync(0, "utf8"));
const answers = asked.map(([times, chances]) => {
  const left = [...chances];
  const told = rules.plan(times, () => left.shift());
  return told.do === "await" ? null : [told.afterS, told.rotateS, told.againS ?? null];
});
process.stdout.write(JSON.stringify({ constants, answers }));
