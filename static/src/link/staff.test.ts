import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { staffTicket } from "./staff";
import { NoTicket } from "./transport";

const answers: unknown[] = [];
const asked: { path: string; token: string | null }[] = [];

beforeEach(() => {
  answers.length = asked.length = 0;
  sessionStorage.clear();
  history.replaceState(null, "", "/host/TESTED?lang=ko#0123abcdSECRET.mac");
  vi.stubGlobal("fetch", async (path: string, options: RequestInit) => {
    asked.push({ path, token: new Headers(options.headers).get("Authorization") });
    const answer = answers.shift();
    if (answer === undefined) throw new TypeError("unreachable");
    return new Response(JSON.stringify(answer));
  });
});
afterEach(() => vi.unstubAllGlobals());

const good = (ticket: string): unknown => ({ ok: true, data: { ticket, expires_in_s: 600 } });

test("the secret leaves the address bar, and a reload finds it", async () => {
  answers.push(good("one"), good("two"));
  expect(await staffTicket("host")()).toBe("one");
  expect(location.href).toMatch(/\/host\/TESTED\?lang=ko$/);
  expect(await staffTicket("host")()).toBe("two");
  expect(asked.map((one) => one.token)).toEqual(["Bearer 0123abcdSECRET.mac", "Bearer 0123abcdSECRET.mac"]);
  expect(asked[0]!.path).toBe("/api/v1/halls/TESTED/host/ticket");
});

test("a grant is changed for a link, once, and a reload finds the link", async () => {
  history.replaceState(null, "", "/director/TESTED#grant=BODY.SIGNATURE");
  answers.push({ ok: true, data: { secret: "89abcdefLINK.mac", link: "89abcdef", good_for_s: 43_200 } }, good("one"), good("two"));
  expect(await staffTicket("director")()).toBe("one");
  expect(location.href).toMatch(/\/director\/TESTED$/);
  expect(await staffTicket("director")()).toBe("two");
  expect(asked.map((one) => one.path.split("/").pop())).toEqual(["grant", "ticket", "ticket"]);
  expect(asked.map((one) => one.token)).toEqual(["Bearer BODY.SIGNATURE", "Bearer 89abcdefLINK.mac", "Bearer 89abcdefLINK.mac"]);
});

test("a ticket is kept while it is good, and renewed before it ends", async () => {
  let now = 0;
  const ticket = staffTicket("host", () => now);
  answers.push(good("one"), good("two"));
  expect(await ticket()).toBe("one");
  now = 479_000;
  expect(await ticket()).toBe("one");
  now = 480_001;
  expect(await ticket()).toBe("two");
});

test("while the server cannot be reached a good ticket is still used", async () => {
  let now = 0;
  const ticket = staffTicket("host", () => now);
  answers.push(good("one"));
  await ticket();
  now = 500_000;
  expect(await ticket()).toBe("one");
  now = 600_001;
  await expect(ticket()).rejects.toMatchObject({ refused: { come_back_after_ms: 1_000 } });
});

test("a revoked link is told for good", async () => {
  answers.push({ ok: false, error: { code: "link_revoked", message: "중지되었습니다.", temporary: false } });
  await expect(staffTicket("host")()).rejects.toThrow(NoTicket);
});
