/** The module k6/metrics of one VU: metrics are the run's, whichever VU's init code names them first. */
import { RecordTags } from "../metrics/metric.ts";
import type { MetricType } from "../metrics/sink.ts";
import type { Vu } from "../vu/vu.ts";
import { textOf, textsOf } from "../script-text.ts";

function metricClass(vu: Vu, type: MetricType): unknown {
  return class {
    readonly name: string;
    readonly #add: (value: unknown, tags: unknown) => void;

    constructor(name: unknown, isTime?: unknown) {
      if (vu.stage !== "init") throw new TypeError("metrics must be declared in the init code");
      const metric = vu.run.registry.custom(name, type, isTime === true);
      this.name = metric.name;
      this.#add = (value, tags) => {
        const number =
          typeof value === "boolean" ? Number(value) : value === null ? Number.NaN : Number(value);
        if (!Number.isFinite(number)) {
          vu.run.log.limited(
            `value of metric ${metric.name}`,
            () =>
              `metric ${metric.name}: expected a number or a boolean; got ${textOf(value)}, which is left out`,
          );
          return;
        }
        const own = tags === undefined || tags === null ? null : textsOf(tags);
        metric.add(number, own === null ? vu : new RecordTags(own, vu));
      };
    }

    add(value: unknown, tags?: unknown): void {
      if (vu.stage === "init") throw new TypeError("a metric takes no values in the init code");
      this.#add(value, tags);
    }
  };
}

export function metricsModule(vu: Vu): Readonly<Record<string, unknown>> {
  const metrics = {
    Counter: metricClass(vu, "counter"),
    Gauge: metricClass(vu, "gauge"),
    Rate: metricClass(vu, "rate"),
    Trend: metricClass(vu, "trend"),
  };
  return { ...metrics, default: metrics };
}
