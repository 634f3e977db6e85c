import { expect, test } from "vitest";
import { markOf, nameless, type UploadRecord } from "../src/uploads/records";

const record: UploadRecord = { id: "a", productionId: "p", size: 5, nameMark: markOf("a", "A001.mov"), lastModified: 7, url: "/u", sent: 2, paused: false, createdAt: 1, personId: "me", fileName: "A001.mov" };

test("a mark knows a name again, and is another in each record", () => {
  expect(markOf("a", "A001.mov")).toBe(markOf("a", "A001.mov"));
  expect(markOf("a", "A002.mov")).not.toBe(markOf("a", "A001.mov"));
  expect(markOf("b", "A001.mov")).not.toBe(markOf("a", "A001.mov"));
});

test("no name is stored, and all else is", () => {
  const { fileName, ...rest } = record;
  expect(nameless(record)).toEqual(rest);
  expect(JSON.stringify(nameless(record))).not.toContain(fileName);
  expect(record.fileName).toBe("A001.mov");
});

test("a record of a former release loses its names and can still be gone on with", () => {
  const { nameMark, ...rest } = record;
  expect(nameless({ ...rest, fileName: "A001.mov", productionName: "The Salt Road" })).toEqual(nameless(record));
  expect(nameMark).toBeGreaterThan(0);
});
