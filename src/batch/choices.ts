import { z } from 'zod';
import { readJsonLines, type FileLine } from '../files/json-lines-file.js';
import { boxSchema, FITS } from '../base/schema.js';
import { listedPath } from './listed-path.js';
import { MOST_STRAIGHTEN_DEG } from '../crop/straighten-wish.js';
import { parseTargets, type Target } from '../crop/target.js';

export const CHOSEN_BY = ['picked', 'moved', 'kept'] as const;
/** The page of `--report`, the page of `framewright studio`, or a user study. */
export const CHOICE_ORIGINS = ['report', 'studio', 'study'] as const;

/** A line of a choices file: the crop a person picked for a photo, e.g. in the page of `--report`. */
export const choiceSchema = z.object({
  path: z.string().min(1),
  /** Where the run stood that offered the crops, absolute: where `path` is looked for first. */
  folder: z.string().optional(),
  /** As `--aspect` and `--size` take them; not both. */
  aspect: z.string().optional(),
  size: z.string().optional(),
  /** Where the box does not fill the ratio or size: what is done then, as `--fit`, `--background` and `--enlarge` say it. */
  fit: z.enum(FITS).optional(),
  background: z.string().optional(),
  enlarge: z.boolean().optional(),
  /** `[x1, y1, x2, y2]` in oriented photo pixels; x2 and y2 exclusive. */
  box: boxSchema,
  /** The photo is straightened by so many degrees, clockwise, and the box is in pixels of the straight photo. */
  straighten: z.number().min(-MOST_STRAIGHTEN_DEG).max(MOST_STRAIGHTEN_DEG).optional(),
  /** Size of the upright photo the box was picked in, or of the straight one. */
  photo: z.object({ widthPx: z.int().positive(), heightPx: z.int().positive() }).optional(),
  /** `picked`: one of the crops offered, in place of the first; `moved`: placed or sized by hand; `kept`: the first one, left as it was. */
  by: z.enum(CHOSEN_BY).optional(),
  /** The crops that were offered, the program's own choice first: what the choice is preferred to. */
  offered: z.array(boxSchema).optional(),
  /** Where the choice was made. */
  origin: z.enum(CHOICE_ORIGINS).optional(),
});

export interface Choice extends Omit<z.infer<typeof choiceSchema>, 'aspect' | 'size' | 'folder'> {
  readonly target: Target;
  /** `file:line`, for errors. */
  readonly from: string;
}

const CHOICE_LINE = { noun: 'choice', example: '{"path": "a.jpg", "box": [x1, y1, x2, y2]}', schema: choiceSchema };

/**
 * Reads a JSONL file of choices. Photos are where `listedPath` finds them; of two choices for the same photo and target the later one holds.
 *
 * @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE; USAGE for a line that is no choice.
 */
export async function readChoices(file: string): Promise<Choice[]> {
  const choices = new Map<string, Choice>();
  for (const line of await readJsonLines(file, CHOICE_LINE)) {
    const choice = choiceOf(line, file);
    const key = JSON.stringify([choice.path, choice.target]);
    choices.delete(key);
    choices.set(key, choice);
  }
  return [...choices.values()];
}

function choiceOf({ value, from, refuse }: FileLine<z.infer<typeof choiceSchema>>, file: string): Choice {
  const { aspect, size, folder, ...choice } = value;
  if (aspect !== undefined && size !== undefined) throw refuse('it has an aspect and a size, which fixes the aspect');
  const [target] = parseTargets(aspect === undefined ? [] : [aspect], size === undefined ? [] : [size]);
  return { ...choice, path: listedPath({ path: choice.path, folder }, file), target: target!, from };
}
