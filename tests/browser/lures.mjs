// What somebody may send to others so that they spend their entry, and what the two servers count.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";

/** A blinded value as the issuer would sign it. */
export const EVIL = Buffer.concat([Buffer.of(0), randomBytes(383)]).toString("base64url");
const FOREIGN = "x".repeat(32);
const ENDS = [
  `?oidc=signed#b=${EVIL}`,
  `#b=${EVIL}`,
  `#ask=x&b=${EVIL}`,
  `#ask=${FOREIGN}&b=${EVIL}&w=${EVIL}`,
  `?oidc=signed&tab=${FOREIGN}#ask=${FOREIGN}&b=${EVIL}`,
];
/** For as long a page that signs by itself would have done so. */
const LOOKED_MS = 700;

/** Of one town hall. `key`: the issuer's organiser key. */
export class Counts {
  constructor(chat, issuer, code, key) {
    Object.assign(this, { chat, issuer, code, key });
  }

  async issued() {
    const address = `${this.issuer}/api/v1/issuances/${this.code}/organiser`;
    return (await (await fetch(address, { headers: { Authorization: `Bearer ${this.key}` } })).json()).data.issued;
  }

  /** As everybody who watches is told. */
  async participants() {
    const stop = new AbortController();
    const { body } = await fetch(`${this.chat}/api/v1/halls/${this.code}/audience/stream`, { signal: stop.signal });
    let heard = "";
    for await (const piece of body.pipeThrough(new TextDecoderStream())) {
      heard += piece;
      const line = heard.split("\n").find((one) => one.startsWith("data: ") && one.includes('"k":"admission"') && one.endsWith("}"));
      if (!line) continue;
      stop.abort();
      return JSON.parse(line.slice(6)).entries.find((one) => one.k === "admission").participants ?? 0;
    }
    throw new Error("nothing was told");
  }
}

/** Open each of the addresses in a tab of its own, as somebody does who is sent them: nothing is signed. The last one stays open. */
export async function lured(context, counts, more = []) {
  const before = await counts.issued();
  let page;
  for (const end of [...more, ...ENDS]) {
    await page?.close();
    page = await context.newPage();
    await page.goto(`${counts.issuer}/admit/${counts.code}${end}`);
    await page.locator(".entrance button").first().waitFor();
    await page.waitForTimeout(LOOKED_MS);
    assert.equal(new URL(page.url()).origin, counts.issuer, `${end} leads away by itself`);
    assert.equal(new URL(page.url()).hash, "", `${end} stays in the address bar`);
    assert.equal(await counts.issued(), before, `${end} has signed something`);
  }
  return page;
}
