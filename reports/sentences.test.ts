/** Promises of the sentence table: both languages say the same things with the same figures. */
import { describe, expect, test } from "vitest";
import { ruleTitle, SENTENCES, speak } from "./sentences.ts";

const named = (text: string): string[] =>
  [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "").toSorted();

describe("the one table of sentences", () => {
  test.each(Object.entries(SENTENCES))(
    "%s has the same figures in both languages",
    (_key, [english, korean]) => {
      expect(named(korean)).toEqual(named(english));
    },
  );

  test("every sentence of words is really translated", () => {
    const same = Object.entries(SENTENCES).filter(
      ([, [english, korean]]) =>
        english === korean && /[a-z]{4}/.test(english.replaceAll(/\{\w+\}/g, "")),
    );
    expect(same).toEqual([]);
    const withoutHangul = Object.entries(SENTENCES).filter(
      ([, [english, korean]]) =>
        /[A-Za-z]{4}/.test(english.replaceAll(/\{\w+\}/g, "")) &&
        !/\p{Script=Hangul}/u.test(korean),
    );
    expect(withoutHangul).toEqual([]);
  });

  test("a sentence is said with its figures, and what looks like a placeholder in a figure stays", () => {
    expect(speak("en")("countOf", { count: "{total}", total: 7 })).toBe("{total} of 7");
    expect(speak("ko")("countOf", { count: 3, total: 7 })).toBe("7 중 3");
  });

  test("a rule of the user's own is told in its own words", () => {
    const say = speak("ko");
    expect(ruleTitle(say, { id: "P1", holds: "x" })).toBe("누구도 두 번 결제되지 않는다");
    expect(ruleTitle(say, { id: "gift-wrap", holds: "every gift is wrapped" })).toBe(
      "every gift is wrapped",
    );
    expect(ruleTitle(say, { id: "__proto__", holds: "own words" })).toBe("own words");
  });
});
