import type { FileHandle } from 'node:fs/promises';
import { GgufError } from './errors.js';

const CHUNK_BYTES = 1 << 18;

/**
 * Reads the front of a file in order, through one buffer. Whoever reads first makes sure with `need` that the bytes are
 * there; the takers are synchronous, so that a vocabulary of 150,000 tokens costs no promise each.
 */
export interface ByteSource {
  /** Offset in the file of the next byte. */
  offset(): number;
  /** Whether `count` bytes can be taken without waiting. */
  has(count: number): boolean;
  /** Waits for `count` bytes. @throws GgufError `TRUNCATED` past the end of the file, `MALFORMED` past the limit. */
  need(count: number): Promise<void>;
  u32(): number;
  u64(): bigint;
  bytes(count: number): Buffer;
  text(count: number): string;
}

/**
 * @param fileBytes size of the file: nothing larger is ever waited for, so a count from a hostile header cannot make us
 * allocate more than the file holds.
 * @param limitBytes largest offset that may be read.
 */
export function openByteSource(file: FileHandle, fileBytes: number, limitBytes: number): ByteSource {
  let buffer = Buffer.alloc(0);
  let start = 0; // offset in the file of buffer[0]
  let at = 0;

  const has = (count: number): boolean => buffer.length - at >= count;
  async function need(count: number): Promise<void> {
    if (has(count)) return;
    const end = start + at + count;
    if (end > fileBytes) {
      throw new GgufError('TRUNCATED', `the file ends inside its header: ${count} bytes wanted at ${start + at}`);
    }
    if (end > limitBytes) {
      throw new GgufError('MALFORMED', `the header is longer than ${limitBytes} bytes`);
    }
    const wanted = Math.min(Math.max(count, CHUNK_BYTES), fileBytes - start - at);
    const next = Buffer.alloc(wanted);
    let filled = buffer.copy(next, 0, at);
    start += at;
    at = 0;
    while (filled < wanted) {
      const { bytesRead } = await file.read(next, filled, wanted - filled, start + filled);
      if (bytesRead === 0) throw new GgufError('TRUNCATED', 'the file became shorter while it was read');
      filled += bytesRead;
    }
    buffer = next;
  }
  function take(count: number): number {
    const from = at;
    at += count;
    return from;
  }
  return {
    offset: () => start + at,
    has,
    need,
    u32: () => buffer.readUInt32LE(take(4)),
    u64: () => buffer.readBigUInt64LE(take(8)),
    bytes: (count) => buffer.subarray(take(count), at),
    text: (count) => buffer.toString('utf8', take(count), at),
  };
}
