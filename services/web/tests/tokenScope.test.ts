import { expect, test } from "vitest";
import { bodyOf, NEW, scopeSentence } from "../src/pages/tokenScope";

const film = { id: "01890000-0000-7000-8000-000000000001", name: "Film" };

test("a token without a choice has no scope", () => {
  expect(bodyOf({ ...NEW, name: " script ", modules: [], productions: [film.id] })).toEqual({ name: "script", expires_in_days: 90 });
});

test("what is chosen is asked for, and no production means all of them", () => {
  const form = { ...NEW, name: "s", most_role: "reader", modules: ["library"] } as const;
  expect(bodyOf(form).scope).toEqual({ most_role: "reader", modules: ["library"] });
  expect(bodyOf({ ...form, productions: [film.id] }).scope?.productions).toEqual([film.id]);
});

test("a scope is told in words", () => {
  expect(scopeSentence(null)).toBe("Everything you may do");
  expect(scopeSentence({ most_role: "editor", modules: ["subtitling", "library"], productions: null })).toBe("Editor in Library and Subtitling");
  expect(scopeSentence({ most_role: "reader", modules: ["library"], productions: [film.id, "gone"] }, [film])).toBe(
    "Reader in Library, only Film and a production you are no longer in",
  );
});
