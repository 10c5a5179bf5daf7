/** All metrics of a run: k6's built-in ones, and those the script's init code makes (the same one for every VU). */
import { Metric } from "./metric.ts";
import type { Contains, MetricType } from "./sink.ts";

/** k6 allows letters, digits and _, up to 128 signs, not starting with a digit. */
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,127}$/;

export class MetricRegistry {
  readonly #metrics = new Map<string, Metric>();
  readonly vus = this.#builtin("vus", "gauge");
  readonly vusMax = this.#builtin("vus_max", "gauge");
  readonly iterations = this.#builtin("iterations", "counter");
  readonly iterationDuration = this.#builtin("iteration_duration", "trend", "time");
  readonly droppedIterations = this.#builtin("dropped_iterations", "counter");
  readonly checks = this.#builtin("checks", "rate");
  readonly groupDuration = this.#builtin("group_duration", "trend", "time");
  readonly httpReqs = this.#builtin("http_reqs", "counter");
  readonly httpReqFailed = this.#builtin("http_req_failed", "rate");
  readonly httpReqDuration = this.#builtin("http_req_duration", "trend", "time");
  readonly httpReqBlocked = this.#builtin("http_req_blocked", "trend", "time");
  readonly httpReqConnecting = this.#builtin("http_req_connecting", "trend", "time");
  readonly httpReqTlsHandshaking = this.#builtin("http_req_tls_handshaking", "trend", "time");
  readonly httpReqSending = this.#builtin("http_req_sending", "trend", "time");
  readonly httpReqWaiting = this.#builtin("http_req_waiting", "trend", "time");
  readonly httpReqReceiving = this.#builtin("http_req_receiving", "trend", "time");
  readonly dataSent = this.#builtin("data_sent", "counter", "data");
  readonly dataReceived = this.#builtin("data_received", "counter", "data");

  constructor() {
    // k6 always shows the latency of expected answers apart.
    this.httpReqDuration.subMetric("http_req_duration{expected_response:true}", [
      ["expected_response", "true"],
    ]);
  }

  #builtin(name: string, type: MetricType, contains: Contains = "default"): Metric {
    const metric = new Metric(name, type, contains);
    this.#metrics.set(name, metric);
    return metric;
  }

  /** `new Trend(name, isTime)` of a script: makes it, or finds the one another VU made. Throws what k6 throws. */
  custom(name: unknown, type: MetricType, isTime: boolean): Metric {
    if (typeof name !== "string" || !NAME.test(name)) {
      throw new TypeError(
        `invalid metric name ${JSON.stringify(name)}: it must start with a letter or _ and hold letters, digits and _ only, at most 128`,
      );
    }
    const contains = isTime ? "time" : "default";
    const known = this.#metrics.get(name);
    if (known === undefined) {
      const made = new Metric(name, type, contains);
      this.#metrics.set(name, made);
      return made;
    }
    if (known.type !== type || known.contains !== contains) {
      throw new TypeError(
        `metric ${name} already exists as ${known.type} of ${known.contains} values; it cannot also be ${type} of ${contains} values`,
      );
    }
    return known;
  }

  get(name: string): Metric | undefined {
    return this.#metrics.get(name);
  }

  all(): readonly Metric[] {
    return [...this.#metrics.values()];
  }
}
