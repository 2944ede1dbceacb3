import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { expandInputs } from '../../batch/inputs.js';
import { writeFileAtomic } from '../../files/write.js';
import { decodePhoto } from '../../photo/decode.js';
import { renderFrame } from '../../photo/render.js';
import { freeName, safeName } from './upload-name.js';

/** A photo of the folder. The page knows it by `id` alone, so that no path is ever taken from it. */
export interface LibraryPhoto {
  readonly id: string;
  readonly path: string;
  /** Below the folder, with slashes. */
  readonly name: string;
  readonly nBytes: number;
  readonly modifiedMs: number;
}

export interface LibraryOptions {
  /** Absolute. */
  readonly folder: string;
  readonly recursive: boolean;
  /** Absolute: what is written there is not looked through. */
  readonly output: string;
  readonly maxPixels?: number;
}

/** The photos of a folder, as they are on disk. */
export class Library {
  readonly #options: LibraryOptions;
  #photos: ReadonlyMap<string, LibraryPhoto> = new Map();
  #notes: readonly string[] = [];
  #adding: Promise<unknown> = Promise.resolve();

  private constructor(options: LibraryOptions) {
    this.#options = options;
  }

  /** @throws FramewrightError INPUT_UNREADABLE */
  static async open(options: LibraryOptions): Promise<Library> {
    const library = new Library(options);
    await library.look();
    return library;
  }

  get folder(): string {
    return this.#options.folder;
  }

  /** By name. */
  get photos(): readonly LibraryPhoto[] {
    return [...this.#photos.values()];
  }

  /** What was left out, and why. */
  get notes(): readonly string[] {
    return this.#notes;
  }

  find(id: string): LibraryPhoto | undefined {
    return this.#photos.get(id);
  }

  idOf(name: string): string {
    return createHash('sha256').update(name).digest('hex').slice(0, 16);
  }

  /** Looks through the folder again. */
  async look(): Promise<void> {
    const { folder, recursive, output } = this.#options;
    const found = await expandInputs([folder], recursive).catch((error: unknown) => {
      if (error instanceof FramewrightError && error.code === 'INPUT_NOT_FOUND') return { photos: [], notes: [] };
      throw error;
    });
    const inOutput = output === folder ? undefined : output + path.sep;
    const paths = found.photos.filter((file) => inOutput === undefined || !file.startsWith(inOutput));
    const photos = await Promise.all(paths.map((file) => this.#photoAt(file)));
    this.#photos = new Map(photos.filter((photo) => photo !== undefined).map((photo) => [photo.id, photo]));
    this.#notes = found.notes;
  }

  /**
   * Puts a photo into the folder under a name of its own.
   *
   * @param wanted what it is called where it comes from
   * @throws FramewrightError INPUT_* for what is no photo, OUTPUT_WRITE
   */
  add(bytes: Uint8Array, wanted: string): Promise<LibraryPhoto> {
    const added = this.#adding.then(async () => {
      const { maxPixels } = this.#options;
      const decoded = await decodePhoto(bytes, { name: 'the photo', ...defined({ maxPixels }) });
      // To its last line: the header of half a photo is as good as any.
      await renderFrame(decoded, { width: 16, height: 16 });
      const file = await freeName(this.folder, safeName(wanted, decoded.format));
      await writeFileAtomic(file, bytes);
      const photo = await this.#photoAt(file);
      if (!photo) throw new FramewrightError('OUTPUT_WRITE', `${file} has gone again`);
      this.#photos = new Map([...this.#photos, [photo.id, photo] as const].sort(([, a], [, b]) => byName(a, b)));
      return photo;
    });
    this.#adding = added.catch(() => undefined);
    return added;
  }

  async #photoAt(file: string): Promise<LibraryPhoto | undefined> {
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile()) return undefined;
    const name = path.relative(this.folder, file).replaceAll(path.sep, '/');
    return { id: this.idOf(name), path: file, name, nBytes: found.size, modifiedMs: found.mtimeMs };
  }
}

function byName(a: LibraryPhoto, b: LibraryPhoto): number {
  return a.name < b.name ? -1 : 1;
}
