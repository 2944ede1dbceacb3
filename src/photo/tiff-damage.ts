import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createInflate, inflate } from 'node:zlib';
import { jpegPixels } from './formats/jpeg-pixels.js';
import type { TiffLayout } from './formats/tiff-layout.js';
import { sharp } from './vips.js';

/**
 * Rejects where a strip or tile of a TIFF is damaged: neither libtiff nor libvips looks at the checksum of deflate, nor
 * at what libjpeg warns of in a tile.
 */
export async function checkTiffParts(
  { kind, all }: TiffLayout['parts'],
  maxPixels: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const part of all) {
    signal?.throwIfAborted();
    if (kind === 'deflate') await checkDeflate(part, signal);
    else await sharp(jpegPixels(part), { failOn: 'warning', limitInputPixels: maxPixels }).raw().toBuffer();
  }
}

/** Deflate makes at most 1032 bytes of one. */
const IN_ONE_GO_BYTES = 64 * 1024;

const inflated = promisify(inflate);

async function checkDeflate(part: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
  try {
    if (part.length <= IN_ONE_GO_BYTES) await inflated(part);
    else await pipeline([part], createInflate(), new Nowhere(), signal ? { signal } : {});
  } catch (thrown) {
    signal?.throwIfAborted();
    // A stream without its end is one that libtiff reads: it knows how much it wants.
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'Z_BUF_ERROR') return;
    throw thrown;
  }
}

class Nowhere extends Writable {
  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    done();
  }
}
