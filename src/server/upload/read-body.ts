import type { IncomingMessage } from 'node:http';
import { FramewrightError } from '../../base/errors.js';
import { bytesText } from '../../base/bytes-text.js';
import { ClientGone } from '../queue/job.js';

export function tooLarge(maxBytes: number): FramewrightError {
  return new FramewrightError(
    'INPUT_TOO_LARGE',
    `the upload has more than ${bytesText(maxBytes)}, the limit here (--max-bytes): send a smaller file`,
  );
}

/**
 * The whole body of a request. Where it is refused, the rest is passed over, so that the client can read why.
 *
 * @throws FramewrightError INPUT_TOO_LARGE; the signal's reason
 */
export function readBody(message: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (end: () => void): void => {
      message.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      signal.removeEventListener('abort', onAbort);
      message.on('error', () => undefined).resume();
      end();
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > maxBytes) settle(() => reject(tooLarge(maxBytes)));
      else chunks.push(chunk);
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks, length)));
    const onGone = (): void => settle(() => reject(new ClientGone()));
    const onAbort = (): void => settle(() => reject(signal.reason as Error));
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    message.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}
