import { Slots } from '../../base/slots.js';
import { HttpProblem } from '../problem.js';
import { ByteBudget } from './byte-budget.js';
import type { Job } from './job.js';

export interface WorkQueueOptions {
  /** Requests worked on at once. */
  readonly atOnce: number;
  /** Requests that may wait beside them. */
  readonly waiting: number;
  /** What their uploads may hold of memory, together. */
  readonly uploadBytes: number;
}

/** Who is worked for and who waits. More than fit are sent away at once, before anything of them is read. */
export class WorkQueue {
  readonly uploads: ByteBudget;
  readonly #slots: Slots;
  readonly #most: number;
  readonly #jobs = new Set<Job>();
  #nWorking = 0;
  #isClosing = false;
  #onIdle: (() => void) | undefined;

  constructor({ atOnce, waiting, uploadBytes }: WorkQueueOptions) {
    this.uploads = new ByteBudget(uploadBytes);
    this.#slots = new Slots(atOnce);
    this.#most = atOnce + waiting;
  }

  get nWorking(): number {
    return this.#nWorking;
  }

  get nWaiting(): number {
    return this.#jobs.size - this.#nWorking;
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** @throws HttpProblem BUSY, CLOSING */
  admit(job: Job): void {
    if (this.#isClosing) throw closing();
    if (this.#jobs.size >= this.#most) {
      throw new HttpProblem('BUSY', `${this.#most} requests are waiting already; try again later`, {
        'retry-after': '5',
      });
    }
    this.#jobs.add(job);
  }

  /** The job is done with, however it ended. */
  leave(job: Job): void {
    this.#jobs.delete(job);
    if (this.#jobs.size === 0) this.#onIdle?.();
  }

  /** Works for a job in its turn. */
  async inTurn<T>(job: Job, work: () => Promise<T>): Promise<T> {
    using _slot = await this.#slots.take(job.signal);
    this.#nWorking++;
    try {
      return await work();
    } finally {
      this.#nWorking--;
    }
  }

  /** Takes no more; resolves when the last job has left. Those that have not after `graceMs` are stopped. */
  async drain(graceMs: number): Promise<void> {
    this.#isClosing = true;
    if (this.#jobs.size === 0) return;
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    const timer = setTimeout(() => this.stop(), graceMs);
    await idle;
    clearTimeout(timer);
  }

  /** Stops all there is. */
  stop(): void {
    this.#isClosing = true;
    for (const job of this.#jobs) job.stop(closing());
  }
}

function closing(): HttpProblem {
  return new HttpProblem('CLOSING', 'the server is closing; ask another, or later', { 'retry-after': '5' });
}
