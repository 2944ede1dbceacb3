import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { makeFolder } from '../../files/make-folder.js';
import { writeFileAtomic } from '../../files/write.js';
import { positionRamps } from '../../photo/ramps.js';
import { sharp } from '../../photo/vips.js';
import type { VisionModel } from '../../runtime/model.js';
import { imageGrid, type ImagePlace } from './pieces.js';

/** How a model sees images. */
export interface ImageUse {
  /** sha256 of its vision file. */
  readonly mmprojSha256: string;
  readonly positionRamps: boolean;
}

/**
 * What the vision tower makes of images, each computed once and kept in a folder: it is the same at every step, and a
 * thousand photos of a large model do not fit the memory.
 */
export class EmbeddingStore {
  readonly #folder: string;
  readonly #use: ImageUse;
  readonly #nEmbd: number;
  readonly #files = new Map<string, string>();

  constructor(folder: string, use: ImageUse, nEmbd: number) {
    this.#folder = folder;
    this.#use = use;
    this.#nEmbd = nEmbd;
  }

  /**
   * Encodes what is not there yet.
   *
   * @throws FramewrightError INPUT_NOT_FOUND, INPUT_CORRUPT, DECODE, OUTPUT_WRITE; the signal's reason
   */
  async encode(
    images: readonly ImagePlace[],
    model: VisionModel,
    { onImage, signal }: { readonly onImage?: (done: number, total: number) => void; readonly signal?: AbortSignal },
  ): Promise<void> {
    const places = new Map(images.map((image) => [image.file, image]));
    await makeFolder(this.#folder);
    let done = 0;
    for (const image of places.values()) {
      signal?.throwIfAborted();
      const rgb = await readFrame(image);
      const file = path.join(this.#folder, `${this.#keyOf(rgb, image)}.f32`);
      this.#files.set(image.file, file);
      if (!(await this.#read(file, image))) {
        const seen = this.#use.positionRamps ? positionRamps(rgb, image.frame, model.family.patchPx) : rgb;
        using embedding = await model.encodeImage(seen, image.frame, signal ? { signal } : {});
        const rows = embedding.rows();
        await writeFileAtomic(file, new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength), { force: true });
      }
      onImage?.(++done, places.size);
    }
  }

  /** [tokens][nEmbd] of an image that was encoded. */
  async rowsOf(image: ImagePlace): Promise<Float32Array> {
    const file = this.#files.get(image.file);
    const rows = file === undefined ? undefined : await this.#read(file, image);
    if (rows) return rows;
    throw new FramewrightError(
      'INPUT_NOT_FOUND',
      `what was kept of the photo ${image.file} is gone from ${this.#folder}: start again with --resume`,
    );
  }

  /** The same pixels seen in the same way by the same tower are the same embedding. */
  #keyOf(rgb: Uint8Array, { frame }: ImagePlace): string {
    const { mmprojSha256, positionRamps } = this.#use;
    const said = JSON.stringify([mmprojSha256, positionRamps, frame.width, frame.height]);
    return createHash('sha256').update(said).update(rgb).digest('hex').slice(0, 32);
  }

  async #read(file: string, image: ImagePlace): Promise<Float32Array | undefined> {
    const bytes = await readFile(file).catch(() => undefined);
    const { columns, rows } = imageGrid(image);
    if (bytes?.length !== columns * rows * this.#nEmbd * Float32Array.BYTES_PER_ELEMENT) return undefined;
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  }
}

/** Row-major RGB, 8 bits. */
async function readFrame({ file, frame }: ImagePlace): Promise<Uint8Array> {
  try {
    const { data, info } = await sharp(file)
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.width === frame.width && info.height === frame.height && info.channels === 3) return Uint8Array.from(data);
  } catch (error) {
    throw new FramewrightError('INPUT_CORRUPT', `cannot read the photo ${file}: ${messageOf(error)}`, { cause: error });
  }
  throw new FramewrightError(
    'INPUT_CORRUPT',
    `the photo ${file} is not what it was a moment ago: keep the export as it is`,
  );
}
