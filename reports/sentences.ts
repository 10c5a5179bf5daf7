/**
 * The door to every sentence a report says: one table, English and Korean side by side, so that a changed sentence is
 * changed in both. A sentence's parameters are read out of its English text (`{name}`); the compiler asks for them.
 */
import { PAGE_SENTENCES } from "./sentences-page.ts";
import { RULE_SENTENCES } from "./sentences-rules.ts";
import { RUN_SENTENCES } from "./sentences-run.ts";

export const LANGUAGES = ["en", "ko"] as const;
export type Lang = (typeof LANGUAGES)[number];

/** key → [English, Korean]. */
export const SENTENCES = { ...RUN_SENTENCES, ...PAGE_SENTENCES, ...RULE_SENTENCES } as const;

export type SentenceKey = keyof typeof SENTENCES;

type NamesIn<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesIn<Rest>
  : never;
type ParametersOf<K extends SentenceKey> = NamesIn<(typeof SENTENCES)[K][0]>;
type Arguments<K extends SentenceKey> = [ParametersOf<K>] extends [never]
  ? []
  : [parameters: Record<ParametersOf<K>, string | number>];

/** Says one sentence: `say("servedWell", { rate: "320/s" })`. The result is plain text; whoever prints it escapes it. */
export type Say = <K extends SentenceKey>(key: K, ...parameters: Arguments<K>) => string;

/** The sentences of one language. */
export function speak(lang: Lang = "en"): Say {
  const column = lang === "ko" ? 1 : 0;
  return (key, ...parameters) => {
    const values: Readonly<Record<string, string | number>> = parameters[0] ?? {};
    return SENTENCES[key][column].replaceAll(/\{(\w+)\}/g, (whole, name: string) =>
      String(values[name] ?? whole),
    );
  };
}

/** What must hold, in a customer's words, for the rules stampede brings; the verdict's own sentence for others. */
export function ruleTitle(say: Say, rule: { readonly id: string; readonly holds: string }): string {
  const key = `rule${rule.id}`;
  return isRuleKey(key) ? say(key) : rule.holds;
}

function isRuleKey(key: string): key is keyof typeof RULE_SENTENCES {
  return Object.hasOwn(RULE_SENTENCES, key);
}
