/** Metrics keep k6's figures without keeping values; thresholds never pass on nothing. */
import { describe, expect, it } from "vitest";
import { NO_TAGS, RecordTags } from "./metric.ts";
import { MetricRegistry } from "./registry.ts";
import { parseExpression, parseKey, readThresholds } from "./threshold-syntax.ts";
import { thresholdProblems, Thresholds } from "./thresholds.ts";
import { ValueHistogram } from "./value-histogram.ts";
import { stream } from "../../../determinism/seed.ts";

const filled = (values: Iterable<number>): ValueHistogram => {
  const histogram = new ValueHistogram();
  for (const value of values) histogram.add(value);
  return histogram;
};

describe("ValueHistogram", () => {
  it("keeps percentiles within 0.1 % of the sorted values, and avg, min, max exactly", () => {
    const random = stream(7, "histogram");
    const values = Array.from({ length: 20_000 }, () => Math.exp(random() * 12 - 3));
    const histogram = filled(values);
    const sorted = values.toSorted((a, b) => a - b);
    for (const p of [1, 25, 50, 90, 95, 99, 99.9, 100]) {
      const exact = sorted[Math.ceil((p / 100) * sorted.length) - 1] ?? 0;
      expect(Math.abs(histogram.valueAt(p) - exact)).toBeLessThanOrEqual(exact * 0.001 + 0.001);
    }
    expect(histogram.min).toBe(sorted[0]);
    expect(histogram.max).toBe(sorted.at(-1));
    expect(histogram.average).toBeCloseTo(values.reduce((a, b) => a + b, 0) / values.length, 9);
  });

  it("orders negative values, zeros and positive values", () => {
    const histogram = filled([-5, -1, 0, 0, 2, 7]);
    expect([1, 17, 34, 50, 84, 100].map((p) => Math.round(histogram.valueAt(p) * 10) / 10)).toEqual(
      [-5, -1, 0, 0, 7, 7],
    );
  });

  it("merges into what one histogram would have held", () => {
    const left = filled([1, 2, 3, 0, -4]);
    left.merge(filled([100, 2000.5, 0]));
    const whole = filled([1, 2, 3, 0, -4, 100, 2000.5, 0]);
    for (const p of [0, 10, 50, 75, 99, 100]) expect(left.valueAt(p)).toBe(whole.valueAt(p));
    expect([left.count, left.sum, left.min, left.max]).toEqual([
      whole.count,
      whole.sum,
      whole.min,
      whole.max,
    ]);
  });
});

describe("threshold syntax", () => {
  it.each([
    ["p(95)<500", { aggregate: "p", percentile: 95, comparison: "<", limit: 500 }],
    [" rate >= 0.99 ", { aggregate: "rate", comparison: ">=", limit: 0.99 }],
    ["count===3", { aggregate: "count", comparison: "==", limit: 3 }],
    ["p( 99.9 ) <= 1e3", { aggregate: "p", percentile: 99.9, comparison: "<=", limit: 1000 }],
    ["med!=.5", { aggregate: "med", comparison: "!=", limit: 0.5 }],
  ])("%s", (source, expected) => {
    expect(parseExpression(source)).toMatchObject(expected);
  });

  it.each(["p95<500", "avg<", "<5", "mean<5", "p(101)<5", "avg<5ms", "rate<1 && rate>0"])(
    "%s is none",
    (source) => {
      expect(parseExpression(source)).toBeNull();
    },
  );

  it("reads the tags of a sub-metric", () => {
    expect(parseKey("http_req_duration{phase:surge, name:http://x/${}}")).toEqual({
      metric: "http_req_duration",
      tags: [
        ["phase", "surge"],
        ["name", "http://x/${}"],
      ],
    });
    expect(parseKey("a{b:c")).toBeNull();
    expect(parseKey("a{b}")).toBeNull();
  });
});

describe("thresholds", () => {
  const keysOf = (source: unknown): ReturnType<typeof readThresholds> => {
    const problems: string[] = [];
    const keys = readThresholds(source, problems);
    expect(problems).toEqual([]);
    return keys;
  };

  it("names every unknown metric and every aggregate a type does not have", () => {
    const keys = keysOf({
      nope: "rate<1",
      http_reqs: ["p(95)<1", "count>1"],
      checks: "avg>1",
      vus: "rate>0",
    });
    expect(thresholdProblems(keys, new MetricRegistry())).toEqual([
      "thresholds.nope: no metric is named nope",
      "thresholds.http_reqs: http_reqs is a counter and has count, rate; got p(95)<1",
      "thresholds.checks: checks is a rate and has rate; got avg>1",
      "thresholds.vus: vus is a gauge and has value; got rate>0",
    ]);
  });

  it("judges a sub-metric by its own samples, and an empty one as inconclusive", () => {
    const registry = new MetricRegistry();
    const thresholds = new Thresholds(
      keysOf({
        "http_req_duration{phase:surge}": ["p(95)<100", "max>5"],
        "http_req_duration{phase:watch}": "avg<1",
        http_req_duration: "avg<1",
      }),
      registry,
    );
    registry.httpReqDuration.add(50, new RecordTags({ phase: "surge" }));
    registry.httpReqDuration.add(900, new RecordTags({ phase: "baseline" }));
    expect(thresholds.verdicts(1).map((v) => [v.name, v.expression, v.verdict, v.because])).toEqual(
      [
        ["http_req_duration{phase:surge}", "p(95)<100", "pass", null],
        ["http_req_duration{phase:surge}", "max>5", "pass", null],
        ["http_req_duration{phase:watch}", "avg<1", "inconclusive", "no sample was recorded"],
        ["http_req_duration", "avg<1", "fail", null],
      ],
    );
    expect(thresholds.summaryOf("http_req_duration{phase:watch}", 1)).toEqual({
      "avg<1": { ok: false },
    });
  });

  it("ends the run only for abortOnFail, and only after delayAbortEval", () => {
    const registry = new MetricRegistry();
    const thresholds = new Thresholds(
      keysOf({
        checks: ["rate>0.9", { threshold: "rate>0.5", abortOnFail: true, delayAbortEval: "10s" }],
      }),
      registry,
    );
    expect(thresholds.crossed(20)).toBeNull();
    registry.checks.add(0, NO_TAGS);
    expect(thresholds.crossed(9)).toBeNull();
    expect(thresholds.crossed(10)).toContain("checks rate>0.5");
  });
});
