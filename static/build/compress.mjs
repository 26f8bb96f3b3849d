// Each built file once more, compressed as far as it goes: the server sends these and never compresses itself.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const pages = resolve(dirname(fileURLToPath(import.meta.url)), "../../server/_pages");
for (const path of readdirSync(pages, { recursive: true })) {
  const file = join(pages, path);
  if (!statSync(file).isFile() || /\.(br|gz|png|webp)$/.test(file)) continue;
  const plain = readFileSync(file);
  if (plain.length < 256) continue;
  writeFileSync(`${file}.br`, brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  writeFileSync(`${file}.gz`, gzipSync(plain, { level: 9 }));
}
