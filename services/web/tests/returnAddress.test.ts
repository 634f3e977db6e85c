import { describe, expect, it } from "vitest";
import { safeReturn, withReturn } from "../src/pages/returnAddress";

const ELSEWHERE = [
  "",
  "https://evil.example",
  "HTTPS://EVIL.EXAMPLE/account",
  "http://evil.example/",
  "//evil.example",
  "///evil.example",
  "////evil.example/%2e%2e",
  "/\\evil.example",
  "\\/evil.example",
  "\\\\evil.example",
  "/a\\b",
  "/\t/evil.example",
  "/\n/evil.example",
  "/\r\n/evil.example",
  "/\u0000/evil.example",
  "/\u0085/evil.example",
  "/\u00a0/evil.example",
  "/\u2028/evil.example",
  "\t//evil.example",
  " //evil.example",
  "/ /evil.example",
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "java\nscript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:msgbox(1)",
  "blob:https://evil.example/1",
  "file:///etc/passwd",
  "https:evil.example",
  "https:/evil.example",
  "http://localhost@evil.example/",
  "evil.example",
];

describe("the address to come back to", () => {
  it.each(ELSEWHERE)("is not elsewhere: %j", (address) => {
    expect(safeReturn(address)).toBe("/productions");
  });

  it("is any place inside", () => {
    for (const inside of ["/", "/account", "/productions/1/library?q=a%20b&t=10:00:12:05", "/a//b", "/productions/Łódź#x"]) {
      expect(safeReturn(inside)).toBe(inside);
      expect(new URL(inside, "https://kinora.example").origin).toBe("https://kinora.example");
    }
    expect(safeReturn(undefined)).toBe("/productions");
  });

  it("is a parameter and nothing else where it is handed on", () => {
    const address = withReturn("/saml/1/sign-in", "/account?x=1&return=//evil.example#y");
    expect(new URL(address, "https://kinora.example").searchParams.getAll("return")).toEqual(["/account?x=1&return=//evil.example#y"]);
  });
});
