import type { MultipartFile, MultipartValue } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { untilAborted } from '../../base/abort.js';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { HttpProblem } from '../problem.js';
import { tooLarge } from './read-body.js';

/** The parts of a form: the photo, and options as JSON. */
export interface Form {
  readonly photo?: Uint8Array;
  readonly options?: unknown;
}

/** Of a form's parts but the photo; options are of this size at most. */
const MOST_TEXT_BYTES = 64 * 1024;

/**
 * Reads `multipart/form-data` with the parts `photo` (a file, whatever it is called) and `options` (JSON).
 *
 * @throws HttpProblem BAD_REQUEST; FramewrightError INPUT_TOO_LARGE; the parser's own errors; the signal's reason
 */
export function readForm(request: FastifyRequest, maxBytes: number, signal: AbortSignal): Promise<Form> {
  return untilAborted(readParts(request, maxBytes), signal).catch((error: unknown) => {
    request.raw.unpipe();
    request.raw.on('error', () => undefined).resume();
    signal.throwIfAborted();
    throw isTold(error) ? error : new HttpProblem('BAD_REQUEST', `the form cannot be read: ${messageOf(error)}`);
  });
}

/** The parser below Fastify's has errors without a status for what is no form. */
function isTold(error: unknown): boolean {
  if (error instanceof HttpProblem || error instanceof FramewrightError) return true;
  return error instanceof Error && 'statusCode' in error;
}

async function readParts(request: FastifyRequest, maxBytes: number): Promise<Form> {
  const limits = { files: 1, fields: 1, parts: 2, fileSize: maxBytes, fieldSize: MOST_TEXT_BYTES, headerPairs: 20 };
  let form: Form = {};
  for await (const part of request.parts({ limits })) {
    form = { ...form, ...(part.type === 'file' ? await photoOf(part, maxBytes) : optionsOf(part)) };
  }
  return form;
}

async function photoOf(part: MultipartFile, maxBytes: number): Promise<Form> {
  if (part.fieldname !== 'photo') {
    part.file.resume();
    throw unknownPart();
  }
  try {
    return { photo: await part.toBuffer() };
  } catch (error) {
    throw part.file.truncated ? tooLarge(maxBytes) : error;
  }
}

/** The parser has read it already where the part says that it is JSON. */
function optionsOf({ fieldname, value, valueTruncated }: MultipartValue): Form {
  if (fieldname !== 'options') throw unknownPart();
  if (valueTruncated) throw new HttpProblem('BAD_REQUEST', `the part "options" has more than ${MOST_TEXT_BYTES} bytes`);
  if (typeof value !== 'string') return { options: value };
  try {
    return { options: JSON.parse(value) as unknown };
  } catch {
    throw new HttpProblem('BAD_REQUEST', 'the part "options" is not JSON: write it as {"aspect": "4:5"}');
  }
}

function unknownPart(): HttpProblem {
  return new HttpProblem(
    'BAD_REQUEST',
    'a form has the parts "photo" (a file) and "options" (JSON), each once at most',
  );
}
