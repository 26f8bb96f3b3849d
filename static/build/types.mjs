// Types of all that travels, made from the server's own definitions: python → JSON Schema → TypeScript.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "json-schema-to-typescript";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const venv = resolve(root, ".venv/bin/python");
const python = process.env.PYTHON ?? (existsSync(venv) ? venv : "python3");
const text = execFileSync(python, ["-m", "protocol.schema"], { cwd: root, encoding: "utf8", maxBuffer: 16 * 1024 * 1024 });
const schema = JSON.parse(text);
const tables = schema["x-townhall"];
delete schema["x-townhall"];

// Tuples in the older spelling, which the compiler knows.
(function older(node) {
  if (!node || typeof node !== "object") return;
  if (Array.isArray(node.prefixItems)) {
    node.items = node.prefixItems;
    node.additionalItems = false;
    delete node.prefixItems;
  }
  Object.values(node).forEach(older);
})(schema.$defs);

// Everything hangs on one object, so that each definition is written once under its own name.
schema.type = "object";
schema.title = "Everything";
schema.additionalProperties = false;
schema.properties = Object.fromEntries(Object.keys(schema.$defs).map((name) => [name, { $ref: `#/$defs/${name}` }]));
schema.required = Object.keys(schema.$defs);
const types = await compile(schema, "Everything", {
  additionalProperties: false,
  bannerComment: "// Made from protocol/ by `npm run types`. Not to be edited.",
  format: false,
});
const commands = Object.entries(tables.commands).map(([name, type]) => `  "${name}": ${type};`);
const made = resolve(root, "static/src/protocol/types.ts");
mkdirSync(dirname(made), { recursive: true });
writeFileSync(
  made,
  `${types}
/** Payload of each command and query. */
export interface Commands {
${commands.join("\n")}
}
export const CODES = ${JSON.stringify(tables.refusals)} as Record<string, { temporary: boolean; status: number }>;
export const LIMITS = ${JSON.stringify(tables.limits)} as Record<string, number>;
`,
);
