import type { FastifyReply } from 'fastify';
import { EventStream } from '../server/events.js';
import type { RunProgress, StudioEvents } from './api.js';

/** Pages that are open, each told of what happens. */
export class Audience {
  readonly #streams = new Set<EventStream>();

  /** @param progress what it begins with: a browser counts as connected once something has come */
  add(reply: FastifyReply, progress: RunProgress): void {
    const stream = new EventStream(reply);
    stream.send('run', progress);
    this.#streams.add(stream);
    reply.raw.once('close', () => this.#streams.delete(stream));
  }

  tell<Name extends keyof StudioEvents>(event: Name, data: StudioEvents[Name]): void {
    for (const stream of this.#streams) stream.send(event, data);
  }

  /** Ends what would keep a server from closing. */
  close(): void {
    for (const stream of this.#streams) stream.end();
  }
}
