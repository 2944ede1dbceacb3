import type { FastifyReply } from 'fastify';
import { PassThrough } from 'node:stream';

/** Proxies close connections on which nothing is said. */
const KEEP_ALIVE_MS = 15_000;

/** Server-sent events, whose data are JSON. */
export class EventStream {
  readonly #stream = new PassThrough();
  readonly #timer: NodeJS.Timeout;

  /** Begins the answer. */
  constructor(reply: FastifyReply) {
    this.#timer = setInterval(() => this.#stream.write(': still here\n\n'), KEEP_ALIVE_MS);
    this.#stream.on('close', () => clearInterval(this.#timer));
    void reply.type('text/event-stream').header('x-accel-buffering', 'no').send(this.#stream);
  }

  send(event: string, data: object): void {
    if (!this.#stream.writableEnded) this.#stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#stream.end();
  }
}
