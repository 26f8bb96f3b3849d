import { describe, expect, it } from "vitest";
import { issuerOrigin } from "./issuer_origin";

describe("the origin of an issuer", () => {
  it.each(["https://admit.example.org", "https://admit.example.org:8443", "http://localhost:8421", "http://127.0.0.1:8421", "http://[::1]:8421"])("is %s", (url) => {
    expect(issuerOrigin(url)).toBe(url);
  });

  it.each([
    "javascript:alert(1)",
    "javascript://admit.example.org/%0aalert(1)",
    "data:text/html,x",
    "http://admit.example.org",
    "http://127.evil.example",
    "http://localhost.evil.example",
    "https://admit.example.org/",
    "https://admit.example.org/path",
    "https://admit.example.org?x",
    "https://admit.example.org#x",
    "https://me@admit.example.org",
    "//admit.example.org",
    "",
  ])("is not %s", (url) => {
    expect(issuerOrigin(url)).toBe("");
  });
});
