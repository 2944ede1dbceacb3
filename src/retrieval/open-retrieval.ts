import { createHash } from 'node:crypto';
import { defined } from '../base/defined.js';
import { FramewrightError } from '../base/errors.js';
import type { PhotoEngine } from '../engines/engine.js';
import { lookingEngine } from '../engines/plain-engine.js';
import { packageFile } from '../files/package-root.js';
import { carryOver } from './carry-over.js';
import { CropIndex } from './crop-index.js';
import { readIndexFile, type IndexContents } from './index-file.js';
import { examplesFor } from './retrieval.js';
import { openTower, type Tower, type TowerIdentity, type TowerOptions } from './tower.js';

/** The index that comes with the package: free photos, see the credits beside it. */
export const BUNDLED_INDEX = packageFile('gguf', 'nano', 'crops.index.json');

/** Changes with the way crops are carried over. */
const VERSION = 1;

export interface Retrieval {
  readonly engine: PhotoEngine;
  readonly tower: Tower;
  readonly index: CropIndex;
  dispose(): Promise<void>;
}

/**
 * Opens an index and the vision tower it was made with.
 *
 * @param file of the index; default: the one that comes with the package
 * @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE, DATASET_INVALID; USAGE for an index of another tower; as `openTower`
 */
export async function openRetrieval(file: string | undefined, options: TowerOptions): Promise<Retrieval> {
  const contents = await readIndexFile(file ?? BUNDLED_INDEX);
  const tower = await openTower({ ...options, model: options.model ?? contents.tower.name });
  try {
    requireSameTower(file ?? 'the index that comes with framewright', contents.tower, tower.identity);
    const index = await CropIndex.open(contents);
    return { engine: engineOf(tower, index), tower, index, dispose: () => tower.dispose() };
  } catch (error) {
    await tower.dispose();
    throw error;
  }
}

function engineOf(tower: Tower, index: CropIndex): PhotoEngine {
  const { name, mmprojSha256 } = tower.identity;
  return {
    ...lookingEngine({
      name: 'retrieval',
      pixelBudget: tower.pixelBudget,
      look: async (photo, signal) => {
        const examples = await examplesFor(photo, { tower, index }, defined({ signal }));
        return { elements: [], propose: (wanted) => carryOver(examples, photo.frame, wanted) };
      },
    }),
    identity: {
      name,
      sha256: tower.textSha256,
      mmprojSha256,
      promptVersion: `retrieval/${VERSION}+${keyOfIndex(index.contents)}`,
      loras: [],
    },
  };
}

/** Tells indexes apart: eight digits of the hash of what they hold. */
export function keyOfIndex({ common, photos }: IndexContents): string {
  const hash = createHash('sha256').update(new Uint8Array(common.buffer, common.byteOffset, common.byteLength));
  for (const { boxes, vector } of photos) hash.update(JSON.stringify(boxes)).update(vector);
  return hash.digest('hex').slice(0, 8);
}

function requireSameTower(index: string, made: TowerIdentity, opened: TowerIdentity): void {
  const isSame =
    made.mmprojSha256 === opened.mmprojSha256 &&
    made.minPixels === opened.minPixels &&
    made.maxPixels === opened.maxPixels &&
    made.positionRamps === opened.positionRamps;
  if (isSame) return;
  throw new FramewrightError(
    'USAGE',
    `${index} was made with the vision tower of ${made.name}, and the one of ${opened.name} sees photos in another way: ` +
      `use that model, or make the index again with framewright index build --model ${opened.name}`,
  );
}
