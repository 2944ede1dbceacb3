import type { FastifyReply } from 'fastify';
import { HttpProblem } from '../problem.js';

/** Why work for a client stops that is no longer there; nobody is answered. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';

  constructor() {
    super('the client has gone');
  }
}

/** For how long an answer may still be sent once the time is over. */
const LAST_MOMENT_MS = 5000;

/** One request that is worked for: its signal ends with its client, its time, or the server. */
export class Job {
  readonly #controller = new AbortController();

  /** @param timeoutMs from now, waiting and sending the answer included */
  constructor(reply: FastifyReply, timeoutMs: number) {
    const { raw } = reply;
    let timer = setTimeout(() => {
      this.stop(new HttpProblem('TIMEOUT', `not done after ${timeoutMs / 1000} s (--timeout); ask for less, or later`));
      timer = setTimeout(() => raw.destroy(), LAST_MOMENT_MS);
    }, timeoutMs);
    raw.once('close', () => {
      clearTimeout(timer);
      if (!raw.writableFinished) this.stop(new ClientGone());
    });
    if (raw.destroyed) this.stop(new ClientGone());
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The first reason is the one that holds. */
  stop(reason: Error): void {
    this.#controller.abort(reason);
  }
}
