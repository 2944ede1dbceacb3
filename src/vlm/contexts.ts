import { FramewrightError } from '../base/errors.js';
import { usableBytes, type MemoryLimits, type MemoryPlan } from '../model/plan/fit.js';
import { totalBytes } from '../model/plan/predict.js';
import type { Context } from '../runtime/session/context.js';
import type { ContextCounters } from '../runtime/types.js';

/**
 * The contexts of one model. Photos that are each in a context of their own are decoded at the same time and not in the
 * same batches: each is answered to the byte as it is alone.
 */
export class ContextPool {
  readonly #contexts: Context[];
  readonly #open: () => Promise<Context>;
  #most: number;
  #opening: Promise<unknown> = Promise.resolve();

  constructor(first: Context, most: number, open: () => Promise<Context>) {
    this.#contexts = [first];
    this.#most = most;
    this.#open = open;
  }

  /** Contexts there may be, those that are open among them. */
  get most(): number {
    return this.#most;
  }

  /** The one with least to do. */
  get idlest(): Context {
    return this.#contexts.reduce((best, each) => (each.nSessions < best.nSessions ? each : best));
  }

  /**
   * Opens contexts until there are `nWanted`, or no more can be had.
   *
   * @returns how many there are then
   * @throws FramewrightError DISPOSED
   */
  widen(nWanted: number): Promise<number> {
    const widened = this.#opening.then(() => this.#widen(nWanted));
    this.#opening = widened.catch(() => undefined); // its caller gets the error
    return widened;
  }

  /** Of all of them; the threads of one. */
  counters(): ContextCounters {
    return this.#contexts.map((context) => context.counters()).reduce(plus);
  }

  async #widen(nWanted: number): Promise<number> {
    while (this.#contexts.length < Math.min(nWanted, this.#most)) {
      try {
        this.#contexts.push(await this.#open());
      } catch (error) {
        if (!(error instanceof FramewrightError && error.code === 'MODEL_LOAD')) throw error;
        this.#most = this.#contexts.length; // the memory was not there after all
      }
    }
    return this.#contexts.length;
  }
}

function plus(a: ContextCounters, b: ContextCounters): ContextCounters {
  return {
    nDecodeCalls: a.nDecodeCalls + b.nDecodeCalls,
    nTokensDecoded: a.nTokensDecoded + b.nTokensDecoded,
    nSingleTokenSteps: a.nSingleTokenSteps + b.nSingleTokenSteps,
    decodeMs: a.decodeMs + b.decodeMs,
    imageMs: a.imageMs + b.imageMs,
    stepMs: a.stepMs + b.stepMs,
    readMs: a.readMs + b.readMs,
    nThreads: a.nThreads,
  };
}

/** How many contexts, the first among them, a machine has memory for without anything given up for them. */
export function contextsThatFit({
  plan,
  limits,
}: {
  readonly plan: MemoryPlan;
  readonly limits: MemoryLimits;
}): number {
  if (plan.givenUp.length > 0) return 1;
  const { host } = plan.prediction;
  const left = usableBytes(limits).host - totalBytes(host);
  return 1 + Math.max(0, Math.floor(left / (host.kvCache + host.compute + host.outputs)));
}
