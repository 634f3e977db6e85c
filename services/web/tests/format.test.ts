import { expect, it } from "vitest";
import { ago, bitRate, clockLength, size, span } from "../src/messages/format";

it.each([
  [0, "0 bytes"], [1, "1 byte"], [999, "999 bytes"], [1000, "1 kB"], [1536, "1.54 kB"], [999_499, "999 kB"], [999_600, "1 MB"],
  [4_200_000_000, "4.2 GB"], [100e9, "100 GB"], [1.5e15, "1.5 PB"],
])("writes %i bytes as %s", (bytes, text) => expect(size(bytes)).toBe(text));

it("writes bit rates", () => expect([bitRate(185_000_000), bitRate(512)]).toEqual(["185 Mbit/s", "512 bit/s"]));

it.each([[0, "0:00"], [59.6, "1:00"], [245, "4:05"], [36_000, "10:00:00"]])("writes %d s of media as %s", (seconds, text) =>
  expect(clockLength(seconds)).toBe(text));

it.each([[0.42, "0.4 s"], [12.4, "12 s"], [60, "1 min"], [200, "3 min 20 s"], [7500, "2 h 5 min"]])("writes %d s of work as %s", (seconds, text) =>
  expect(span(seconds)).toBe(text));

it("says how long ago", () => {
  const now = Date.parse("2026-05-10T12:00:00Z");
  expect(ago("2026-05-10T11:59:57Z", now)).toBe("just now");
  expect(ago("2026-05-10T11:57:00Z", now)).toBe("3 minutes ago");
  expect(ago("2026-05-09T12:00:00Z", now)).toBe("yesterday");
});
