import type { StdinPhoto } from '../../batch/options.js';
import { FramewrightError } from '../../base/errors.js';
import { collect, DEFAULT_MAX_BYTES } from '../../photo/input.js';
import { recognise } from '../../photo/sniff.js';

/** @throws FramewrightError USAGE where stdin is a terminal, INPUT_TOO_LARGE, INPUT_UNREADABLE */
export async function readStdin(signal: AbortSignal): Promise<StdinPhoto> {
  if (process.stdin.isTTY) {
    throw new FramewrightError('USAGE', 'stdin is a terminal; pipe a photo into it: framewright - < photo.jpg');
  }
  const bytes = await collect(process.stdin, 'stdin', DEFAULT_MAX_BYTES, signal);
  const recognised = recognise(bytes, 'stdin');
  if (!('format' in recognised)) return { bytes, name: 'stdin' }; // refused when its turn comes, as any photo
  return { bytes, name: `stdin.${recognised.format === 'jpeg' ? 'jpg' : recognised.format}` };
}
