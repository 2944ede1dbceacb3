import type { FastifyReply, FastifyRequest } from 'fastify';
import { FramewrightError } from '../../base/errors.js';
import type { ServerContext } from '../context.js';
import { HttpProblem } from '../problem.js';
import type { OptionsReader, Query } from '../request/read-options.js';
import { Job } from '../queue/job.js';
import { readBody, tooLarge } from './read-body.js';
import { readForm, type Form } from './read-form.js';
import { readRootFile } from './root-file.js';

/** A photo as it has come, and what is asked about it. */
export interface PhotoRequest<T> {
  readonly bytes: Uint8Array;
  /** How errors call it: `photo`, or the path below the root. */
  readonly name: string;
  /** Of a photo that is the server's own. */
  readonly path: string | undefined;
  readonly options: T;
  readonly job: Job;
}

/**
 * Takes a request about a photo into the queue, reads its photo as far as memory for uploads allows, and answers it.
 *
 * @throws HttpProblem BUSY and others; FramewrightError USAGE, INPUT_*; ClientGone
 */
export async function withPhoto<T extends { readonly path?: string | undefined }, A>(
  { queue, options: { timeoutMs, maxBytes, uploadPauseMs }, root }: ServerContext,
  request: FastifyRequest,
  reply: FastifyReply,
  readOptions: OptionsReader<T>,
  answer: (asked: PhotoRequest<T>) => Promise<A>,
): Promise<A> {
  const job = new Job(reply, timeoutMs);
  queue.admit(job);
  try {
    const declared = declaredBytes(request, maxBytes);
    if (declared > maxBytes + FORM_BYTES) throw tooLarge(maxBytes);
    using held = await queue.uploads.take(Math.min(declared, maxBytes), job.signal);
    const form = await readUpload(request, maxBytes, job, uploadPauseMs);
    const options = readOptions(request.query as Query, form.options);
    const { path } = options;
    if (path === undefined) {
      const bytes = uploaded(form);
      held.shrinkTo(bytes.length);
      return await answer({ bytes, name: 'photo', path, options, job });
    }
    if (form.photo?.length) throw usage('send a photo or name one by path, not both');
    if (!root) throw usage('no photo of the server can be named: it was started without --root');
    held.shrinkTo(0);
    using heldForFile = await queue.uploads.take(maxBytes, job.signal);
    const bytes = await readRootFile(root, path, maxBytes);
    heldForFile.shrinkTo(bytes.length);
    return await answer({ bytes, name: path, path, options, job });
  } finally {
    queue.leave(job);
  }
}

/** At most, of an upload whose length nobody says. */
function declaredBytes({ headers }: FastifyRequest, maxBytes: number): number {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : maxBytes;
}

function uploaded({ photo }: Form): Uint8Array {
  if (photo?.length) return photo;
  throw usage('there is no photo: send one as the body, or as the part "photo" of a form');
}

function usage(message: string): FramewrightError {
  return new FramewrightError('USAGE', message);
}

/** What a form has beside its photo: boundaries, heads of parts, options. */
const FORM_BYTES = 256 * 1024;

async function readUpload(request: FastifyRequest, maxBytes: number, job: Job, uploadPauseMs: number): Promise<Form> {
  using _watch = watchUpload(job, request.raw, uploadPauseMs);
  if (request.isMultipart()) return await readForm(request, maxBytes, job.signal);
  return { photo: await readBody(request.raw, maxBytes, job.signal) };
}

/**
 * Who sends nothing holds memory that others wait for. Read last in a turn of the event loop, so that a server that was kept
 * from listening does not take its own pause for the client's.
 */
function watchUpload(job: Job, { socket }: FastifyRequest['raw'], uploadPauseMs: number): Disposable {
  let seen = -1;
  const look = (): void => {
    if (socket.bytesRead === seen) {
      job.stop(new HttpProblem('UPLOAD_SLOW', `nothing of the upload came for ${uploadPauseMs / 1000} s`));
    }
    seen = socket.bytesRead;
  };
  const timer = setInterval(() => setImmediate(look), uploadPauseMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
