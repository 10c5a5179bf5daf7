/** junit.xml for CI: one test case an invariant, an SLO and a threshold. Inconclusive is an error: CI must not read it as held. */
import type { Builder, TestCase } from "junit-report-builder";
import junit from "junit-report-builder";
import type { InvariantVerdict, LimitVerdict } from "../harness/history/run-folder.ts";
import { plainLine } from "./columns.ts";
import { whole } from "./numbers.ts";
import type { RunView } from "./run-view.ts";
import { ruleTitle, speak, type Lang, type Say } from "./sentences.ts";

/** The library is CommonJS and exports its builder itself; its types speak of an ES default that Node does not see. */
const builder = junit as unknown as Builder;

/** Letters that XML 1.0 cannot hold at all, not even escaped; books may contain any. */
// eslint-disable-next-line no-control-regex
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** The library escapes only the first end of a CDATA section in a text; a space keeps the others from ending it. */
const xmlText = (text: string): string =>
  text.toWellFormed().replaceAll(NOT_XML, "?").replaceAll("]]>", "]] >");
const xmlLine = (text: string): string => plainLine(xmlText(text));

/** The whole file. */
export function junitXml(view: RunView, options: { readonly lang?: Lang } = {}): string {
  const say = speak(options.lang);
  const { run, verdict } = view;
  const report = builder.newBuilder().name(xmlLine(`stampede ${run.scenario} ${run.target}`));
  const suite = (name: string) => report.testSuite().name(name).timestamp(run.started_at);
  const invariants = suite("invariants");
  for (const rule of verdict.invariants) ruleCase(say, invariants.testCase(), rule, run.replay);
  const limits: readonly (readonly [string, readonly LimitVerdict[]])[] = [
    ["slos", verdict.slos],
    ["thresholds", verdict.thresholds],
  ];
  for (const [name, list] of limits) {
    const group = suite(name);
    for (const limit of list) limitCase(say, group.testCase().className(`stampede.${name}`), limit);
  }
  return report.build();
}

function ruleCase(say: Say, test: TestCase, rule: InvariantVerdict, replay: string): void {
  test
    .className("stampede.invariants")
    .name(xmlLine(`${rule.id} ${rule.name}: ${ruleTitle(say, rule)}`))
    .time(rule.took_ms / 1000);
  const because = rule.because === null ? "" : `: ${rule.because}`;
  switch (rule.verdict) {
    case "pass":
      return;
    case "not-applicable":
      test.skipped().standardOutput(xmlText(`${say("notApplicable")}${because}`));
      return;
    case "inconclusive":
      test.error(xmlLine(`${say("inconclusive")}${because}`), "inconclusive");
      return;
    case "fail": {
      const evidence = {
        first: rule.first,
        worst: rule.worst,
        last: rule.last,
        witness: rule.witness,
      };
      test
        .failure(
          xmlLine(
            `${say("countOf", { count: whole(rule.count), total: whole(rule.considered) })} ${rule.holds}${because}`,
          ),
          "violated",
        )
        .stacktrace(xmlText(`${JSON.stringify(evidence, null, 2)}\n${say("replay")}: ${replay}`));
    }
  }
}

function limitCase(say: Say, test: TestCase, limit: LimitVerdict): void {
  test.name(xmlLine(`${limit.name}: ${limit.expression}`));
  const observed = limit.observed === null ? say("notMeasured") : String(limit.observed);
  const because = limit.because === null ? "" : `: ${limit.because}`;
  if (limit.verdict === "fail")
    test.failure(
      xmlLine(`${limit.expression}, ${say("limitObserved")} ${observed}${because}`),
      "failed",
    );
  if (limit.verdict === "inconclusive")
    test.error(xmlLine(`${say("inconclusive")}${because}`), "inconclusive");
}
