import { afterEach, expect, test, vi } from "vitest";
import { session } from "./storage";

afterEach(() => vi.restoreAllMocks());

test("what is kept is there, and taken once", () => {
  session.setItem("one", "1");
  expect(sessionStorage.getItem("one")).toBe("1");
  expect([session.lasts(), session.take("one"), session.take("one")]).toEqual([true, "1", null]);
});

test("where storage is forbidden it lasts as long as the page, and says so", () => {
  for (const name of ["getItem", "setItem", "removeItem"] as const) {
    vi.spyOn(Storage.prototype, name).mockImplementation(() => {
      throw new DOMException("denied", "SecurityError");
    });
  }
  session.setItem("two", "2");
  expect([session.lasts(), session.getItem("two"), session.take("two"), session.getItem("two")]).toEqual([false, "2", "2", null]);
});
