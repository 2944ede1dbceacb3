import { defined } from '../../base/defined.js';
import type { Box } from '../../base/geometry.js';
import { choiceSchema } from '../../batch/choices.js';
import type { CropMaker, CropSummary, TargetKey } from '../api.js';
import type { Library, LibraryPhoto } from '../library/library.js';
import { standingCrop, turnOfResult } from '../state/photo-crops.js';
import type { StudioLog } from '../state/studio-log.js';
import { wordsOfKey } from '../state/target-key.js';

/** A crop that stands. */
export interface StandingCrop {
  readonly photo: LibraryPhoto;
  readonly target: TargetKey;
  readonly crop: CropSummary;
}

const BY = { model: 'kept', picked: 'picked', hand: 'moved' } as const satisfies Record<CropMaker, string>;

/**
 * A crop as a file of choices has it (src/batch/choices.ts).
 *
 * @param offered what there was to choose from, the engine's own choice first
 */
export function choiceLine({ photo, target, crop }: StandingCrop, offered?: readonly Box[]): string {
  const { box, by, photo: size, turn } = crop;
  const choice = choiceSchema.parse(
    defined({
      path: photo.path,
      ...wordsOfKey(target),
      ...{ box, straighten: turn?.angleDeg, photo: size },
      ...{ by: BY[by], offered, origin: 'studio' },
    }),
  );
  return `${JSON.stringify(choice)}\n`;
}

/**
 * The crops of a library as a file of choices, a line at a time.
 *
 * @param isAll also those of the engine that nobody has changed
 */
export async function* choicesOf(
  library: Library,
  log: StudioLog,
  isAll: boolean,
): AsyncGenerator<string, void, undefined> {
  for (const photo of library.photos) {
    for (const [target, each] of log.state.cropsOf(photo.name)) {
      const crop = standingCrop(each);
      if (!crop || (crop.by === 'model' && !isAll)) continue;
      yield choiceLine({ photo, target, crop }, each.engine && (await offeredIn(log, each.engine.at, crop)));
    }
  }
}

/** Undefined where the crop is not of the photo as the engine saw it: boxes of two turns have nothing to compare. */
async function offeredIn(
  log: StudioLog,
  at: Parameters<StudioLog['resultAt']>[0],
  { turn }: CropSummary,
): Promise<Box[] | undefined> {
  const result = await log.resultAt(at);
  if (turnOfResult(result)?.angleDeg !== turn?.angleDeg) return undefined;
  const { candidates, best } = result;
  const boxes = candidates.map(({ box }) => box);
  return [boxes[best]!, ...boxes.filter((_, i) => i !== best)];
}
