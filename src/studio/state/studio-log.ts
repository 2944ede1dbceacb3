import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError } from '../../base/errors.js';
import type { CropResult } from '../../base/schema.js';
import { cacheFolder } from '../../files/cache-folder.js';
import { CheckedLog, LogLines, type LinePlace } from '../../files/checked-log.js';
import { keyOfSettings } from '../../batch/journal/settings-key.js';
import { lockFile } from '../../files/file-lock.js';
import { makeFolder } from '../../files/make-folder.js';
import { readRecord, VERSION, type StudioRecord } from './records.js';
import { StudioState } from './studio-state.js';

const NAME = '.framewright-studio.jsonl';

type NewRecord = StudioRecord extends infer R ? (R extends unknown ? Omit<R, 'version'> : never) : never;

/**
 * All that was done in a folder's studio, on disk before it is shown as done: a killed studio begins again where it was.
 */
export class StudioLog implements AsyncDisposable {
  readonly state: StudioState;
  readonly #log: CheckedLog;
  readonly #lock: AsyncDisposable;
  #lines: LogLines | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(log: CheckedLog, lock: AsyncDisposable, state: StudioState) {
    this.#log = log;
    this.#lock = lock;
    this.state = state;
  }

  /**
   * In the folder itself, or where nothing can be written there in the user's cache folder.
   *
   * @throws FramewrightError OUTPUT_LOCKED where another studio has the folder open; OUTPUT_WRITE
   */
  static async open(folder: string): Promise<StudioLog> {
    const file = (await isWritable(folder))
      ? path.join(folder, NAME)
      : path.join(cacheFolder(), 'studio', `${keyOfSettings(path.resolve(folder))}.jsonl`);
    await makeFolder(path.dirname(file));
    const lock = await lockFile(`${file}.lock`, `the studio of ${folder}`);
    try {
      const state = new StudioState();
      const log = await CheckedLog.open(file, (value, at) => {
        const record = readRecord(value);
        if (record) state.apply(record, at);
        return record !== undefined;
      });
      return new StudioLog(log, lock, state);
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  }

  get path(): string {
    return this.#log.path;
  }

  /**
   * Notes what was done, in order. Resolves once it outlives this process.
   *
   * @param isPossible looked at when its turn comes, after all that was noted before
   * @returns the photo it changed, if any
   * @throws FramewrightError OUTPUT_WRITE; nothing has changed then
   */
  note(record: NewRecord): Promise<string | undefined> {
    const noted = this.#last.then(async () => {
      const whole = { version: VERSION, ...record } as StudioRecord;
      return this.state.apply(whole, await this.#log.append(whole));
    });
    this.#last = noted.catch(() => undefined);
    return noted;
  }

  /** @throws FramewrightError INPUT_UNREADABLE where the log has been changed by another program */
  async resultAt(at: LinePlace): Promise<CropResult> {
    this.#lines ??= await LogLines.open(this.path);
    const record = readRecord(await this.#lines.at(at));
    if (record?.what === 'cropped') return record.result;
    throw new FramewrightError('INPUT_UNREADABLE', `${this.path} has been changed by another program: start again`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    try {
      await this.#lines?.[Symbol.asyncDispose]();
      await this.#log[Symbol.asyncDispose]();
    } finally {
      await this.#lock[Symbol.asyncDispose]();
    }
  }
}

function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}
