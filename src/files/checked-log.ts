import { createHash } from 'node:crypto';
import { constants, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError, messageOf } from '../base/errors.js';
import { makeFolder } from './make-folder.js';
import { openOwnFile } from './own-file.js';

/** How long a line that nobody waits for may stay unflushed: what a power cut may cost. */
const FLUSH_AFTER_MS = 1000;
/** A run over a million photos notes some 2 to 3 GB; they are read line by line. */
const MAX_BYTES = 2 ** 36;
/** A longer line is torn, or none of ours. */
const MAX_LINE_BYTES = 2 ** 24;
/** `["<16 hex digits>",` before and `]` after the value's own text. */
const LINE = /^\["([0-9a-f]{16})",(.*)\]$/s;

/** Where a line stands in its file, without its line break. */
export interface LinePlace {
  readonly offset: number;
  readonly nBytes: number;
}

/** Takes a stored value; false for one that is not of its kind. */
type ParseValue = (value: unknown, at: LinePlace) => boolean;

interface Waiting {
  readonly line: string;
  readonly isDurable: boolean;
  readonly resolve: (at: LinePlace) => void;
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
  /** Bytes of the file, as far as this process knows. */
  #size: number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #unflushed: NodeJS.Timeout | undefined;

  private constructor(file: string, handle: FileHandle, size: number, nUnreadable: number) {
    this.path = file;
    this.#file = handle;
    this.#size = size;
    this.nUnreadable = nUnreadable;
  }

  /**
   * Opens the file for appending, making it and its folder where need be, and reads what is in it. A link is not followed:
   * logs lie where anybody may have put one.
   *
   * @param parse takes each stored value, oldest first; false counts the line as unreadable. Without it none is read.
   * @throws FramewrightError `OUTPUT_WRITE` where the file cannot be read or opened for appending.
   */
  static async open(file: string, parse?: ParseValue): Promise<CheckedLog> {
    try {
      await makeFolder(path.dirname(file));
      const handle = await openOwnFile(file, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
      try {
        const nUnreadable = parse ? await readCheckedLog(file, parse) : 0;
        return new CheckedLog(file, handle, (await handle.stat()).size, nUnreadable);
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
   * @returns where the line stands; right as long as no other process appends
   * @throws FramewrightError `OUTPUT_WRITE`
   */
  append(value: unknown, { isDurable = false }: { readonly isDurable?: boolean } = {}): Promise<LinePlace> {
    const text = JSON.stringify(value);
    const written = new Promise<LinePlace>((resolve, reject) => {
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
        const places: LinePlace[] = [];
        for (const { line } of batch) {
          await this.#file.appendFile(line);
          const nBytes = Buffer.byteLength(line) - 1;
          places.push({ offset: this.#size + 1, nBytes });
          this.#size += nBytes + 1;
        }
        if (batch.some(({ isDurable }) => isDurable)) await this.#flush();
        else this.#flushSoon();
        for (const [i, { resolve }] of batch.entries()) resolve(places[i]!);
      } catch (cause) {
        // Of a full disk a part of a line may be there.
        this.#size = (await this.#file.stat().catch(() => undefined))?.size ?? this.#size;
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
export async function readCheckedLog(file: string, parse: ParseValue): Promise<number> {
  let nUnreadable = 0;
  for await (const { bytes, at } of linesOf(file)) {
    if (bytes.length > 0 && !isRead(bytes, at, parse)) nUnreadable++;
  }
  return nUnreadable;
}

/** Reads lines of a log again, so that values need not be kept in memory to be had later. */
export class LogLines implements AsyncDisposable {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** @throws FramewrightError INPUT_UNREADABLE for a link or what is no file; the system's error */
  static async open(file: string): Promise<LogLines> {
    return new LogLines(await openOwnFile(file, constants.O_RDONLY));
  }

  /** Undefined where there is no whole line any more. */
  async at(place: LinePlace): Promise<unknown> {
    const { offset, nBytes } = place;
    const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(nBytes), 0, nBytes, offset);
    let found: unknown;
    isRead(buffer.subarray(0, bytesRead), place, (value) => {
      found = value;
      return true;
    });
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

function isRead(bytes: Buffer, at: LinePlace, parse: ParseValue): boolean {
  const match = LINE.exec(bytes.toString('utf8'));
  const text = match?.[2];
  if (text === undefined || match?.[1] !== checksum(text)) return false;
  try {
    return parse(JSON.parse(text), at);
  } catch {
    return false;
  }
}

interface Line {
  readonly bytes: Buffer;
  readonly at: LinePlace;
}

const LINE_FEED = 0x0a;

/** By line feeds alone; a journal may be longer than the longest string. Of a line that is too long only the beginning. */
async function* linesOf(file: string): AsyncGenerator<Line> {
  await using handle = await openOwnFile(file, constants.O_RDONLY);
  if ((await handle.stat()).size > MAX_BYTES) {
    throw new FramewrightError('INPUT_TOO_LARGE', `${file} has more than ${MAX_BYTES} bytes: move it away`);
  }
  let begun: Buffer[] = [];
  let nBegun = 0;
  let offset = 0;
  const chunks = handle.createReadStream({ highWaterMark: 1 << 20, end: MAX_BYTES, autoClose: false });
  const ended = (): Line => {
    const line = { bytes: Buffer.concat(begun), at: { offset, nBytes: nBegun } };
    offset += nBegun + 1;
    begun = [];
    nBegun = 0;
    return line;
  };
  for await (const each of chunks) {
    let rest = each as Buffer;
    for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED)) {
      begun.push(rest.subarray(0, end));
      nBegun += end;
      rest = rest.subarray(end + 1);
      yield ended();
    }
    nBegun += rest.length;
    // What comes after the beginning of a line that is too long makes it no less torn.
    if (nBegun <= MAX_LINE_BYTES || begun.length === 0) begun.push(rest);
  }
  yield ended();
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
