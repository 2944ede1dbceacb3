import { FramewrightError, messageOf } from '../base/errors.js';
import { untilAborted } from '../base/abort.js';
import type { Size } from '../base/geometry.js';

/**
 * Runs a libvips pipeline over a photo's bytes. On abort the promise rejects at once with the signal's reason, while
 * the pipeline, which cannot be stopped, runs to its end on its own thread.
 *
 * @throws FramewrightError INPUT_CORRUPT, INPUT_UNSUPPORTED, INPUT_TOO_LARGE
 */
export async function decoding<T>(name: string, work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await untilAborted(work(), signal);
  } catch (thrown) {
    signal?.throwIfAborted();
    throw decodeFailure(name, thrown);
  }
}

function decodeFailure(name: string, thrown: unknown): FramewrightError {
  if (thrown instanceof FramewrightError) return thrown;
  const options = { cause: thrown };
  const reason = reasonOf(messageOf(thrown));
  if (/out of memory|cannot allocate/i.test(reason)) {
    return new FramewrightError('INPUT_TOO_LARGE', `not enough memory to decode ${name}: reduce it first`, options);
  }
  if (/not (?:configured|supported|implemented)|unsupported (?!image format)|bad \w+ format/i.test(reason)) {
    return new FramewrightError(
      'INPUT_UNSUPPORTED',
      `${name} uses a variant of its format that is not supported (${reason}): save it again as JPEG or PNG`,
      options,
    );
  }
  return new FramewrightError(
    'INPUT_CORRUPT',
    `${name} is damaged or incomplete (${reason}): copy it again from where it came from`,
    options,
  );
}

/** sharp has no words where libvips has failed without any. */
function reasonOf(message: string): string {
  const line = firstLine(message);
  return /^\(?unknown error\)?$/i.test(line) ? 'its pixels cannot be decoded' : line;
}

/** libvips stacks its messages over several lines; sharp puts its own words before the first. */
function firstLine(message: string): string {
  const lines = message
    .replace(/^Input (?:buffer|file) (?:has corrupt header: ?|contains )/, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines.find((line) => !line.startsWith('source: bad seek')) ?? message;
}

export function tooManyPixels(name: string, { width, height }: Size, maxPixels: number): FramewrightError {
  return new FramewrightError(
    'INPUT_TOO_LARGE',
    `${name} is ${width}x${height} px, ${megapixels(width * height)}, over the limit of ${megapixels(maxPixels)}: raise the limit (--max-pixels, maxPixels in code) if that is right`,
  );
}

/** Of an animation, whose frames are in memory together. */
export function tooManyFrames(
  name: string,
  { width, height }: Size,
  nFrames: number,
  maxPixels: number,
): FramewrightError {
  return new FramewrightError(
    'INPUT_TOO_LARGE',
    `${name} has ${nFrames} frames of ${width}x${height} px, ${megapixels(width * height * nFrames)} together, over the limit of ${megapixels(maxPixels)}: crop its first frame alone (--first-frame, firstFrame in code), or raise the limit (--max-pixels, maxPixels in code)`,
  );
}

function megapixels(nPixels: number): string {
  return `${(nPixels / 1e6).toFixed(0)} megapixels`;
}
