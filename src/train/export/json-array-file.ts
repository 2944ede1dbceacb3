import { open, type FileHandle } from 'node:fs/promises';
import { writeFailure } from '../../files/write.js';

/** A JSON array written item by item, so that no export has to fit into memory. */
export class JsonArrayFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  #n = 0;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /** @throws FramewrightError OUTPUT_WRITE */
  static async create(path: string): Promise<JsonArrayFile> {
    try {
      return new JsonArrayFile(path, await open(path, 'wx'));
    } catch (error) {
      throw writeFailure(path, error);
    }
  }

  /** Items so far. */
  get length(): number {
    return this.#n;
  }

  async add(item: object): Promise<void> {
    await this.#write(`${this.#n === 0 ? '[\n' : ',\n'}${JSON.stringify(item)}`);
    this.#n++;
  }

  /** Ends the array. A file that is not ended is no JSON. */
  async end(): Promise<void> {
    await this.#write(this.#n === 0 ? '[]\n' : '\n]\n');
  }

  async close(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
  }

  async #write(text: string): Promise<void> {
    try {
      await this.#handle.appendFile(text);
    } catch (error) {
      throw writeFailure(this.#path, error);
    }
  }
}
