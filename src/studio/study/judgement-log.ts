import path from 'node:path';
import { z } from 'zod';
import { CheckedLog } from '../../files/checked-log.js';
import { lockFile } from '../../files/file-lock.js';
import { newSecret } from './judges.js';
import { ANSWERS } from './pairs.js';

const VERSION = 1;

const judgementSchema = z.object({
  /** From 0. */
  judge: z.int().min(0),
  pair: z.string(),
  /** The method whose crop was on the left; `better` or `worse` of an attention check. */
  left: z.string(),
  answer: z.enum(ANSWERS),
  /** From seeing the pair to the answer, in milliseconds, as the judge's page says. */
  tookMs: z.number().min(0),
  /** ISO 8601. */
  at: z.string(),
});
export type Judgement = z.infer<typeof judgementSchema>;

const recordSchema = z.discriminatedUnion('what', [
  z.object({ version: z.literal(VERSION), what: z.literal('secret'), secret: z.string().min(16) }),
  judgementSchema.extend({ version: z.literal(VERSION), what: z.literal('judgement') }),
]);

/** A study's judgements, on disk before a judge is told so. Of two by one judge about one pair the later one holds. */
export class JudgementLog implements AsyncDisposable {
  /** What the judges' codes are made of. */
  readonly secret: string;
  /** Lines that are torn or of another program. */
  readonly nUnreadable: number;
  readonly #log: CheckedLog;
  readonly #lock: AsyncDisposable;
  readonly #held: Map<string, Judgement>;

  private constructor(log: CheckedLog, lock: AsyncDisposable, secret: string, held: Map<string, Judgement>) {
    this.#log = log;
    this.#lock = lock;
    this.secret = secret;
    this.nUnreadable = log.nUnreadable;
    this.#held = held;
  }

  /** @throws FramewrightError OUTPUT_LOCKED where another process has the study open; OUTPUT_WRITE */
  static async open(file: string): Promise<JudgementLog> {
    const lock = await lockFile(`${file}.lock`, `the study ${path.basename(file)}`);
    try {
      const held = new Map<string, Judgement>();
      let secret: string | undefined;
      const log = await CheckedLog.open(file, (value) => {
        const { success, data } = recordSchema.safeParse(value);
        if (!success) return false;
        if (data.what === 'secret') secret ??= data.secret;
        else hold(held, judgementSchema.parse(data));
        return true;
      });
      if (secret === undefined) {
        secret = newSecret();
        await log.append({ version: VERSION, what: 'secret', secret }, { isDurable: true });
      }
      return new JudgementLog(log, lock, secret, held);
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Those that hold, oldest first. */
  get judgements(): readonly Judgement[] {
    return [...this.#held.values()];
  }

  /** The judge's judgement of a pair, if there is one. */
  of(judge: number, pair: string): Judgement | undefined {
    return this.#held.get(keyOf({ judge, pair }));
  }

  /**
   * Resolves once it outlives a power cut: people's time is not to be asked for twice.
   *
   * @throws FramewrightError OUTPUT_WRITE; it does not count then
   */
  async note(judgement: Judgement): Promise<void> {
    await this.#log.append({ version: VERSION, what: 'judgement', ...judgement }, { isDurable: true });
    hold(this.#held, judgement);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#log[Symbol.asyncDispose]();
    } finally {
      await this.#lock[Symbol.asyncDispose]();
    }
  }
}

function hold(held: Map<string, Judgement>, judgement: Judgement): void {
  const key = keyOf(judgement);
  held.delete(key);
  held.set(key, judgement);
}

function keyOf({ judge, pair }: Pick<Judgement, 'judge' | 'pair'>): string {
  return `${judge} ${pair}`;
}
