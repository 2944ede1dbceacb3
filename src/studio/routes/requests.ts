import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { decodePhoto, type Photo } from '../../photo/decode.js';
import { HttpProblem } from '../../server/problem.js';
import { Job } from '../../server/queue/job.js';
import { readBody } from '../../server/upload/read-body.js';
import type { LibraryPhoto } from '../library/library.js';
import type { Studio } from '../context.js';

/** A list of 200,000 photos. */
const MOST_JSON_BYTES = 8_000_000;

/**
 * The body of a request as JSON.
 *
 * @throws FramewrightError USAGE, INPUT_TOO_LARGE; the signal's reason
 */
export async function readJson<T>(
  request: FastifyRequest,
  schema: z.ZodType<T>,
  signal: AbortSignal,
  maxBytes = MOST_JSON_BYTES,
): Promise<T> {
  const bytes = await readBody(request.raw, maxBytes, signal);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new FramewrightError('USAGE', 'the body is no JSON');
  }
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  throw new FramewrightError('USAGE', z.prettifyError(read.error).split('\n').slice(0, 6).join('; '));
}

/** Of a request that is answered at once: it ends with its client or its time, and waits in no queue. */
export function signalOf({ server }: Pick<Studio, 'server'>, reply: FastifyReply): AbortSignal {
  return new Job(reply, server.options.timeoutMs).signal;
}

/** @throws HttpProblem NOT_FOUND */
export function photoOf({ library }: Studio, id: string): LibraryPhoto {
  const photo = library.find(id);
  if (photo) return photo;
  throw new HttpProblem('NOT_FOUND', 'there is no such photo in the folder any more: reload');
}

/**
 * The photo's header and bytes; errors call it by its name in the folder.
 *
 * @throws FramewrightError INPUT_*
 */
export function openPhotoOf(
  { options }: Pick<Studio, 'options'>,
  { path, name }: LibraryPhoto,
  signal: AbortSignal,
): Promise<Photo> {
  return decodePhoto(path, { name, signal, ...defined({ maxPixels: options.maxPixels }) });
}

/** @throws HttpProblem NOT_FOUND */
export function photosOf(studio: Studio, ids: readonly string[]): LibraryPhoto[] {
  return [...new Set(ids)].map((id) => photoOf(studio, id));
}
