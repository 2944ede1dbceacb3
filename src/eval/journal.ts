import { createHash } from 'node:crypto';
import { mkdir, open, readFile, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { FramewrightError, messageOf } from '../errors.js';
import { predictionSchema, type Prediction } from './prediction.js';

const recordSchema = z.strictObject({
  key: z.string(),
  method: z.string(),
  photo: z.string(),
  prediction: predictionSchema,
  ms: z.number(),
});
const lineSchema = z.tuple([z.string(), recordSchema]);

export interface JournalRecord {
  /** Hash of all that decides the prediction (`predictionKey`). */
  readonly key: string;
  /** For people who read the file. */
  readonly method: string;
  readonly photo: string;
  readonly prediction: Prediction;
  /** Time the prediction took when it was made. */
  readonly ms: number;
}

/**
 * Predictions on disk, one JSON line `[checksum, record]` each, appended and flushed before `add` resolves, so a killed
 * run loses only what was under way. Lines torn by a crash fail their checksum and are left out. Several processes may
 * write one journal: each line goes out in one append that starts with a line break, so a torn line ends where the next
 * one starts.
 */
export class Journal implements AsyncDisposable {
  readonly path: string;
  /** Lines of the file that were torn or of another format. */
  readonly nUnreadable: number;
  readonly #records: Map<string, JournalRecord>;
  readonly #file: FileHandle;
  #pending: { line: string; resolve: () => void; reject: (error: unknown) => void }[] = [];
  #flushing: Promise<void> | undefined;

  private constructor(path: string, file: FileHandle, records: Map<string, JournalRecord>, nUnreadable: number) {
    this.path = path;
    this.#file = file;
    this.#records = records;
    this.nUnreadable = nUnreadable;
  }

  /** @throws FramewrightError `OUTPUT_WRITE` where the file cannot be read or opened for appending. */
  static async open(path: string): Promise<Journal> {
    try {
      await mkdir(dirname(path), { recursive: true });
      const file = await open(path, 'a');
      const { records, nUnreadable } = parseJournal(await readFile(path, 'utf8'));
      return new Journal(path, file, records, nUnreadable);
    } catch (cause) {
      throw new FramewrightError('OUTPUT_WRITE', `cannot open the journal ${path}: ${messageOf(cause)}`, { cause });
    }
  }

  get(key: string): JournalRecord | undefined {
    return this.#records.get(key);
  }

  get size(): number {
    return this.#records.size;
  }

  /** Resolves when the record is on disk. Records added meanwhile share one flush. */
  async add(record: JournalRecord): Promise<void> {
    const text = JSON.stringify(record);
    const written = new Promise<void>((resolve, reject) => {
      this.#pending.push({ line: `\n[${JSON.stringify(checksum(text))},${text}]`, resolve, reject });
    });
    this.#flushing ??= this.#flush();
    await written;
    this.#records.set(record.key, record);
  }

  async #flush(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      try {
        // One write call a line: appends of one call do not mix with those of another process.
        for (const { line } of batch) await this.#file.appendFile(line);
        await this.#file.datasync();
        for (const { resolve } of batch) resolve();
      } catch (cause) {
        const error = new FramewrightError('OUTPUT_WRITE', `cannot write ${this.path}: ${messageOf(cause)}`, { cause });
        for (const { reject } of batch) reject(error);
      }
    }
    this.#flushing = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#flushing;
    await this.#file.close();
  }
}

/** One word for everything that decides a prediction. */
export function predictionKey(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function parseJournal(text: string): { records: Map<string, JournalRecord>; nUnreadable: number } {
  const records = new Map<string, JournalRecord>();
  let nUnreadable = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const record = parseLine(line);
    if (record) records.set(record.key, record);
    else nUnreadable++;
  }
  return { records, nUnreadable };
}

function parseLine(line: string): JournalRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const parsed = lineSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const [sum] = parsed.data;
  // Numbers survive a round trip through JSON unchanged, so the record's own text is what was summed.
  const record = (value as [string, JournalRecord])[1];
  return sum === checksum(JSON.stringify(record)) ? record : undefined;
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
