import { unlink } from 'node:fs/promises';
import { z } from 'zod';
import { defined } from '../../base/defined.js';
import { readOwnFile } from '../../files/own-file.js';
import { checkOutput } from '../../files/write.js';
import { boxSchema, type CropResult } from '../../base/schema.js';
import { mayReplaceSummary, type Replacing, type Summary } from './write-summaries.js';

/** A line as it is written here; one with other wishes in it has been changed by somebody. */
const lineSchema = z.strictObject({
  path: z.string(),
  folder: z.string().optional(),
  aspect: z.string().optional(),
  size: z.string().optional(),
  photo: z.object({ widthPx: z.number(), heightPx: z.number() }),
  box: boxSchema,
  confidence: z.number().optional(),
  why: z.string(),
});

/** A longer list is not removed. */
const MAX_BYTES = 64 * 2 ** 20;

/**
 * The crops left for a person to decide, as JSON Lines: `{"path", "folder", "aspect" or "size", "photo", "box", "confidence",
 * "why"}`, the box being what the engine would have done. `--hints` takes the file, as the photos of a later run.
 */
export class ReviewList implements Summary {
  readonly path: string;
  readonly #lines: string[] = [];

  private constructor(file: string) {
    this.path = file;
  }

  /** @throws FramewrightError OUTPUT_EXISTS for a file that is there and may not be replaced, OUTPUT_WRITE */
  static async open(file: string, mayReplace: boolean): Promise<ReviewList> {
    await checkOutput(file, { force: mayReplace });
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
        folder: process.cwd(),
        ...defined({ aspect, size: size && `${size.widthPx}x${size.heightPx}` }),
        photo: { widthPx, heightPx },
        box: candidates[best]!.box,
        confidence,
        why,
      }),
    );
  }

  render(): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#lines.length > 0 ? Buffer.from(`${this.#lines.join('\n')}\n`) : undefined);
  }
}

/** With nothing left for review, a list that still names photos of this run would have them cropped once more. */
export async function removeStaleList(
  list: ReviewList,
  photos: ReadonlySet<string>,
  replacing: Replacing,
): Promise<void> {
  if (list.size > 0 || !(await mayReplaceSummary(list, replacing))) return;
  if (await isListOf(list.path, photos)) await unlink(list.path);
}

/** Whether a file is a review list nobody has written into, of none but these photos. */
async function isListOf(file: string, photos: ReadonlySet<string>): Promise<boolean> {
  const text = await readOwnFile(file, MAX_BYTES).catch(() => undefined);
  if (text === undefined || text === '') return false;
  return text
    .trimEnd()
    .split('\n')
    .every((line) => {
      const { data } = lineSchema.safeParse(parsed(line));
      return data !== undefined && photos.has(data.path);
    });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
