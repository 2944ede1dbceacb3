import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { FramewrightError, messageOf } from './errors.js';
import { boxSchema } from './schema.js';
import { parseTargets, type Target } from './target.js';

/** A line of a choices file: the crop a person picked for a photo, e.g. in the page of `--report`. */
export const choiceSchema = z.object({
  path: z.string().min(1),
  /** As `--aspect` and `--size` take them; not both. */
  aspect: z.string().optional(),
  size: z.string().optional(),
  /** In oriented photo pixels. */
  box: boxSchema,
  /** Size of the upright photo the box was picked in. */
  photo: z.object({ widthPx: z.int().positive(), heightPx: z.int().positive() }).optional(),
});

export interface Choice extends Omit<z.infer<typeof choiceSchema>, 'aspect' | 'size'> {
  readonly target: Target;
  /** `file:line`, for errors. */
  readonly from: string;
}

/**
 * Reads a JSONL file of choices. Paths are as written; of two choices for the same photo and target the later one holds.
 *
 * @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE; USAGE for a line that is no choice.
 */
export async function readChoices(file: string): Promise<Choice[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new FramewrightError(
      isMissing ? 'INPUT_NOT_FOUND' : 'INPUT_UNREADABLE',
      isMissing ? `the choices file ${file} does not exist` : `cannot read the choices ${file}: ${messageOf(error)}`,
      { cause: error },
    );
  });
  const choices = new Map<string, Choice>();
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const choice = parseChoice(line, `${file}:${i + 1}`);
    const key = JSON.stringify([choice.path, choice.target]);
    choices.delete(key);
    choices.set(key, choice);
  }
  if (choices.size === 0) throw new FramewrightError('USAGE', `${file} holds no choices`);
  return [...choices.values()];
}

function parseChoice(line: string, from: string): Choice {
  const refuse = (why: string): FramewrightError =>
    new FramewrightError('USAGE', `${from} is no choice: ${why}; a line is {"path": "a.jpg", "box": [x1, y1, x2, y2]}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (error) {
    throw refuse(messageOf(error));
  }
  const result = choiceSchema.safeParse(parsed);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    throw refuse(path.length > 0 ? `${path.join('.')}: ${message}` : message);
  }
  const { aspect, size, ...choice } = result.data;
  if (aspect !== undefined && size !== undefined) throw refuse('it has an aspect and a size, which fixes the aspect');
  const [target] = parseTargets(aspect === undefined ? [] : [aspect], size === undefined ? [] : [size]);
  return { ...choice, target: target!, from };
}
