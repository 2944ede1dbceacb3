import path from 'node:path';
import { checkOutput, writeFileAtomic } from '../image/write.js';
import { makeFolder } from '../make-folder.js';
import type { CropResult } from '../schema.js';

/**
 * The crops left for a person to decide, as JSON Lines: `{"path", "aspect" or "size", "photo", "box", "confidence",
 * "why"}`, the box being what the engine would have done. `--hints` takes the file, as the photos of a later run.
 */
export class ReviewList {
  readonly path: string;
  readonly #lines: string[] = [];

  private constructor(file: string) {
    this.path = file;
  }

  /** @throws FramewrightError OUTPUT_EXISTS without force, OUTPUT_WRITE */
  static async open(file: string, options: { readonly force: boolean }): Promise<ReviewList> {
    await checkOutput(file, options);
    return new ReviewList(file);
  }

  get size(): number {
    return this.#lines.length;
  }

  /** Takes every result; those that are not for review are passed over. */
  add(photoPath: string, { verdict, target, photo, candidates, best, confidence, why }: CropResult): void {
    if (verdict !== 'review') return;
    const { widthPx, heightPx } = photo;
    const { aspect, size } = target;
    this.#lines.push(
      JSON.stringify({
        path: photoPath,
        ...(aspect === undefined ? {} : { aspect }),
        ...(size ? { size: `${size.widthPx}x${size.heightPx}` } : {}),
        photo: { widthPx, heightPx },
        box: candidates[best]!.box,
        confidence,
        why,
      }),
    );
  }

  /** Writes the file, if there is anything to review. */
  async write(): Promise<void> {
    if (this.#lines.length > 0) {
      await makeFolder(path.dirname(this.path));
      await writeFileAtomic(this.path, Buffer.from(`${this.#lines.join('\n')}\n`), { force: true });
    }
  }
}
