import type { FileHandle } from 'node:fs/promises';

const BUFFER_BYTES = 1 << 18;

/** Writes a file front to back through one small buffer, and knows how far it is. */
export interface ByteSink {
  /** Bytes accepted so far: the offset of the next byte in the file. */
  offset(): number;
  write(bytes: Uint8Array): Promise<void>;
  /** Zero bytes up to an offset; nothing where that is already reached. */
  padTo(offset: number): Promise<void>;
  /** Leaves a hole up to an offset: reads as zeros, takes no space on most file systems. */
  skipTo(offset: number): Promise<void>;
  flush(): Promise<void>;
}

export function openByteSink(file: FileHandle): ByteSink {
  const buffer = new Uint8Array(BUFFER_BYTES);
  let buffered = 0;
  let flushed = 0;

  async function writeAll(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, flushed);
      done += bytesWritten;
      flushed += bytesWritten;
    }
  }
  async function flush(): Promise<void> {
    const pending = buffer.subarray(0, buffered);
    buffered = 0;
    await writeAll(pending);
  }
  async function write(bytes: Uint8Array): Promise<void> {
    if (buffered + bytes.length > BUFFER_BYTES) await flush();
    if (bytes.length >= BUFFER_BYTES) return writeAll(bytes);
    buffer.set(bytes, buffered);
    buffered += bytes.length;
  }
  async function skipTo(offset: number): Promise<void> {
    await flush();
    if (offset <= flushed) return;
    await file.truncate(offset);
    flushed = offset;
  }
  async function padTo(offset: number): Promise<void> {
    for (let missing = offset - (flushed + buffered); missing > 0; missing -= BUFFER_BYTES) {
      await write(new Uint8Array(Math.min(missing, BUFFER_BYTES)));
    }
  }
  return { offset: () => flushed + buffered, write, padTo, skipTo, flush };
}
