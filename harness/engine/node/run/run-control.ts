/** Why a run stops before its plan is through, and who must hear of it. The first reason counts. */
import type { StampedeError } from "../../../errors.ts";

export type StopReason =
  | { readonly kind: "signal" }
  | { readonly kind: "abort"; readonly message: string }
  | { readonly kind: "threshold"; readonly because: string }
  | { readonly kind: "refused"; readonly error: StampedeError }
  | { readonly kind: "disposed" };

export class RunControl {
  #reason: StopReason | null = null;
  #failure: string | null = null;
  #refusal: StampedeError | null = null;
  #onRefusal: () => void = () => undefined;
  readonly #listeners = new Set<() => void>();

  get reason(): StopReason | null {
    return this.#reason;
  }

  /** What test.fail() said, or null. */
  get failure(): string | null {
    return this.#failure;
  }

  /** k6's exec.test.fail(): the run goes on, its exit code will be 110. */
  fail(message: string): void {
    this.#failure ??= message;
  }

  /** The first request the address rule refused, also one made after the run had stopped (in teardown). */
  get refusal(): StampedeError | null {
    return this.#refusal;
  }

  /** The request that was refused is never answered, so whoever made it must be given up too. */
  set onRefusal(listener: () => void) {
    this.#onRefusal = listener;
  }

  refuse(error: StampedeError): void {
    this.#refusal ??= error;
    this.stop({ kind: "refused", error });
    this.#onRefusal();
  }

  stop(reason: StopReason): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  /** Calls back once, at once when the run has stopped already. Returns how to take it back. */
  onStop(listener: () => void): () => void {
    if (this.#reason !== null) {
      listener();
      return () => undefined;
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
