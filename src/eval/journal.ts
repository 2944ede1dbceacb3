import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CheckedLog } from '../files/checked-log.js';
import { predictionSchema, type Prediction } from './prediction.js';

const recordSchema = z.strictObject({
  key: z.string(),
  method: z.string(),
  photo: z.string(),
  prediction: predictionSchema,
  ms: z.number(),
});

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
 * Predictions on disk, appended and flushed before `add` resolves, so a killed run loses only what was under way.
 * Several processes may write one journal.
 */
export class Journal implements AsyncDisposable {
  readonly #log: CheckedLog;
  readonly #records: Map<string, JournalRecord>;

  private constructor(log: CheckedLog, records: Map<string, JournalRecord>) {
    this.#log = log;
    this.#records = records;
  }

  /** @throws FramewrightError `OUTPUT_WRITE` where the file cannot be read or opened for appending. */
  static async open(path: string): Promise<Journal> {
    const records = new Map<string, JournalRecord>();
    const log = await CheckedLog.open(path, (value) => {
      if (!recordSchema.safeParse(value).success) return false;
      const record = value as JournalRecord;
      records.set(record.key, record);
      return true;
    });
    return new Journal(log, records);
  }

  get path(): string {
    return this.#log.path;
  }

  /** Lines of the file that were torn or of another format. */
  get nUnreadable(): number {
    return this.#log.nUnreadable;
  }

  get(key: string): JournalRecord | undefined {
    return this.#records.get(key);
  }

  get size(): number {
    return this.#records.size;
  }

  /** Resolves when the record is on disk. Records added meanwhile share one flush. */
  async add(record: JournalRecord): Promise<void> {
    await this.#log.append(record, { isDurable: true });
    this.#records.set(record.key, record);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#log[Symbol.asyncDispose]();
  }
}

/** One word for everything that decides a prediction. */
export function predictionKey(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
