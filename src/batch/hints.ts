import path from 'node:path';
import { z } from 'zod';
import type { PhotoWishes } from '../cropper/options.js';
import { defined } from '../base/defined.js';
import { messageOf } from '../base/errors.js';
import { readJsonLines, type FileLine } from '../files/json-lines-file.js';
import { boxSchema, cropRectSchema, FITS, type CropRect } from '../base/schema.js';
import { parseFocus } from '../crop/focus.js';
import { parseMargin } from '../crop/margin.js';
import { PLACES } from '../crop/place.js';
import { listedPath } from './listed-path.js';
import { MOST_STRAIGHTEN_DEG } from '../crop/straighten-wish.js';
import { parseTargets } from '../crop/target.js';
import { settleFit } from '../crop/wishes.js';
import { parseBackground } from '../photo/background.js';

const share = z.number().min(0).max(1);
const whole = z.int().min(0);
const focusText = z.string().transform((text, context) => {
  const focus = parseFocus(text);
  if (focus) return focus;
  context.addIssue({ code: 'custom', message: 'a focus is "x,y" in pixels, or "50%,30%" of the sides' });
  return z.NEVER;
});
const rectSchema = z.union([
  cropRectSchema.strict(),
  z.tuple([whole, whole, whole, whole]).transform(([x, y, width, height]): CropRect => ({ x, y, width, height })),
]);

/** A line of a hints file: what is wished of one photo, in place of or beside what the command line says of all. */
export const hintSchema = z.strictObject({
  path: z.string().min(1),
  /** Where the run stood that wrote the line, absolute: where `path` is looked for first. */
  folder: z.string().optional(),
  /** Each `{x, y, width, height}` or `[x, y, width, height]`, as --keep takes them. */
  keep: z.array(rectSchema).optional(),
  /** `[x, y]` in pixels, `{x, y}` as shares, as a result's focalPoint has it, or either as --focus takes it: "50%,30%". */
  focus: z.union([z.tuple([whole, whole]), z.strictObject({ x: share, y: share }), focusText]).optional(),
  aspect: z.string().optional(),
  size: z.string().optional(),
  minSize: share.optional(),
  /** As --place and --margin: "left", "10%" or "40px". */
  place: z.enum(PLACES).optional(),
  margin: z.string().optional(),
  /** As --fit, --background and --enlarge; a fit of its own takes the place of all three that the command line says. */
  fit: z.enum(FITS).optional(),
  background: z.string().optional(),
  enlarge: z.boolean().optional(),
  /** False as --no-camera-focus. */
  cameraFocus: z.boolean().optional(),
  /** As --straighten: "off", "auto", or degrees clockwise. */
  straighten: z
    .union([z.enum(['off', 'auto']), z.number().min(-MOST_STRAIGHTEN_DEG).max(MOST_STRAIGHTEN_DEG)])
    .optional(),
  instruct: z.string().optional(),
  // What a review list says beside; taken so that the list as it is can be a hints file.
  photo: z.object({ widthPx: whole, heightPx: whole }).optional(),
  box: boxSchema.optional(),
  confidence: z.number().optional(),
  why: z.string().optional(),
});

export interface PhotoHint {
  /** As written in the file, or where `listedPath` finds it. */
  readonly path: string;
  readonly wishes: PhotoWishes;
  /** `file:line` of its first line. */
  readonly from: string;
}

const HINT_LINE = { noun: 'hint', example: '{"path": "a.jpg", "focus": [420, 310]}', schema: hintSchema };

/**
 * Reads a JSON Lines file of hints: one photo each, by absolute path. Lines about one photo add up: crops of several
 * ratios, boxes to keep; of what can only be once the last line holds.
 *
 * @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE; USAGE with file and line for what is no hint.
 */
export async function readHints(file: string): Promise<ReadonlyMap<string, PhotoHint>> {
  const hints = new Map<string, PhotoHint>();
  for (const line of await readJsonLines(file, HINT_LINE)) {
    const hint = hintOf(line, file);
    const key = path.resolve(hint.path);
    const earlier = hints.get(key);
    hints.set(key, earlier ? { ...earlier, wishes: together(earlier.wishes, hint.wishes) } : hint);
  }
  return hints;
}

function hintOf({ value, from, refuse }: FileLine<z.infer<typeof hintSchema>>, file: string): PhotoHint {
  const { aspect, size, keep, focus, minSize, straighten, instruct } = value;
  const { place, margin, fit, background, enlarge, cameraFocus } = value;
  const aspects = aspect === undefined ? undefined : [aspect];
  const sizes = size === undefined ? undefined : [size];
  try {
    parseTargets(aspects ?? [], sizes ?? []);
    if (margin !== undefined) parseMargin(margin);
    if (background !== undefined) parseBackground(background);
    // What it fills up may be asked for by the command line.
    if (fit !== undefined) settleFit(defined({ fit, background, enlarge }), [{ aspect: { width: 1, height: 1 } }]);
  } catch (error) {
    throw refuse(messageOf(error));
  }
  return {
    path: listedPath(value, file),
    from,
    wishes: defined({
      ...{ aspects, sizes, keep, focus, minSize, straighten, instruct },
      ...{ place, margin, fit, background, enlarge, cameraFocus },
    }),
  };
}

function together(a: PhotoWishes, b: PhotoWishes): PhotoWishes {
  const joined = <T>(x: readonly T[] = [], y: readonly T[] = []): T[] => [...new Set([...x, ...y])];
  const aspects = joined(a.aspects, b.aspects);
  const sizes = joined(a.sizes, b.sizes);
  const keep = joined(a.keep, b.keep);
  return {
    ...a,
    ...b,
    ...(aspects.length > 0 ? { aspects } : {}),
    ...(sizes.length > 0 ? { sizes } : {}),
    ...(keep.length > 0 ? { keep } : {}),
  };
}
