import { createHash } from 'node:crypto';
import { constants, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError, messageOf } from '../base/errors.js';
import { makeFolder } from './make-folder.js';
import { openOwnFile } from './own-file.js';

/** How long a line that nobody waits for may stay unflushed: what a power cut may cost. */
const FLUSH_AFTER_MS = 1000;
/** A run over 100,000 photos notes some 300 MB. */
const MAX_BYTES = 2 ** 30;
/** A longer line is torn, or none of ours. */
const MAX_LINE_LENGTH = 2 ** 24;
/** `["<16 hex digits>",` before and `]` after the value's own text. */
const LINE = /^\["([0-9a-f]{16})",(.*)\]$/s;

interface Waiting {
  readonly line: string;
  readonly isDurable: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Values on disk, one JSON line `[checksum, value]` each, only ever appended to. A killed process loses only what it had
 * not yet appended. Lines torn by a crash fail their checksum and are left out. Several processes may write one log: each
 * line goes out in one append that starts with a line break, so a torn line ends where the next one starts.
 */
export class CheckedLog implements AsyncDisposable {
  readonly path: string;
  /** Lines of the file that were torn or of another format when it was opened. */
  readonly nUnreadable: number;
  readonly #file: FileHandle;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #unflushed: NodeJS.Timeout | undefined;

  private constructor(file: string, handle: FileHandle, nUnreadable: number) {
    this.path = file;
    this.#file = handle;
    this.nUnreadable = nUnreadable;
  }

  /**
   * Opens the file for appending, making it and its folder where need be, and reads what is in it. A link is not followed:
   * logs lie where anybody may have put one.
   *
   * @param parse takes each stored value, oldest first; false counts the line as unreadable. Without it none is read.
   * @throws FramewrightError `OUTPUT_WRITE` where the file cannot be read or opened for appending.
   */
  static async open(file: string, parse?: (value: unknown) => boolean): Promise<CheckedLog> {
    try {
      await makeFolder(path.dirname(file));
      const handle = await openOwnFile(file, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
      try {
        return new CheckedLog(file, handle, parse ? await readCheckedLog(file, parse) : 0);
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (cause) {
      throw new FramewrightError('OUTPUT_WRITE', `cannot open the journal ${file}: ${messageOf(cause)}`, { cause });
    }
  }

  /**
   * Resolves when the value is in the file, where it outlives this process; with `isDurable`, when it is on the disk,
   * where it outlives a power cut. Values appended meanwhile share one flush.
   *
   * @throws FramewrightError `OUTPUT_WRITE`
   */
  append(value: unknown, { isDurable = false }: { readonly isDurable?: boolean } = {}): Promise<void> {
    const text = JSON.stringify(value);
    const written = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ line: `\n["${checksum(text)}",${text}]`, isDurable, resolve, reject });
    });
    this.#writing ??= this.#write();
    return written;
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        // One write call a line: appends of one call do not mix with those of another process.
        for (const { line } of batch) await this.#file.appendFile(line);
        if (batch.some(({ isDurable }) => isDurable)) await this.#flush();
        else this.#flushSoon();
        for (const { resolve } of batch) resolve();
      } catch (cause) {
        const error = new FramewrightError('OUTPUT_WRITE', `cannot write ${this.path}: ${messageOf(cause)}`, { cause });
        for (const { reject } of batch) reject(error);
      }
    }
    this.#writing = undefined;
  }

  #flushSoon(): void {
    // A flush that fails here shows at the next line or at closing.
    this.#unflushed ??= setTimeout(() => void this.#flush().catch(() => undefined), FLUSH_AFTER_MS).unref();
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#unflushed);
    this.#unflushed = undefined;
    await this.#file.datasync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    try {
      if (this.#unflushed) await this.#flush();
    } finally {
      await this.#file.close();
    }
  }
}

/**
 * Hands every whole value of a log to `parse`, oldest first.
 *
 * @returns how many lines were torn, or not what `parse` takes
 * @throws FramewrightError INPUT_UNREADABLE for a link or what is no file, INPUT_TOO_LARGE; the system's error
 */
export async function readCheckedLog(file: string, parse: (value: unknown) => boolean): Promise<number> {
  let nUnreadable = 0;
  for await (const line of linesOf(file)) {
    if (line !== '' && !isRead(line, parse)) nUnreadable++;
  }
  return nUnreadable;
}

function isRead(line: string, parse: (value: unknown) => boolean): boolean {
  const match = LINE.exec(line);
  const text = match?.[2];
  if (text === undefined || match?.[1] !== checksum(text)) return false;
  try {
    return parse(JSON.parse(text));
  } catch {
    return false;
  }
}

/** By line feeds alone; a journal may be longer than the longest string. Of a line that is too long only the beginning. */
async function* linesOf(file: string): AsyncGenerator<string> {
  await using handle = await openOwnFile(file, constants.O_RDONLY);
  if ((await handle.stat()).size > MAX_BYTES) {
    throw new FramewrightError('INPUT_TOO_LARGE', `${file} has more than ${MAX_BYTES} bytes: move it away`);
  }
  let rest = '';
  let isTooLong = false;
  const chunks = handle.createReadStream({
    encoding: 'utf8',
    highWaterMark: 1 << 20,
    end: MAX_BYTES,
    autoClose: false,
  });
  for await (const chunk of chunks) {
    const lines = (rest + (chunk as string)).split('\n');
    rest = lines.pop()!;
    if (isTooLong && lines.length > 0) {
      lines.shift();
      isTooLong = false;
    }
    yield* lines;
    if (rest.length > MAX_LINE_LENGTH && !isTooLong) {
      yield rest.slice(0, 1);
      isTooLong = true;
    }
    if (isTooLong) rest = '';
  }
  yield rest;
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
