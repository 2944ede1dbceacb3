import path from 'node:path';
import { z } from 'zod';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { boxOfRect, type Box, type Size } from '../../base/geometry.js';
import { boxSchema, cropResultSchema } from '../../base/schema.js';
import { listedPath } from '../../batch/listed-path.js';
import { formatAspect, parseTargets } from '../../crop/target.js';
import { readJsonFile } from '../../files/json-file.js';
import { readJsonLines } from '../../files/json-lines-file.js';
import { decodePhoto } from '../../photo/decode.js';
import { makePair, type Pair } from './pairs.js';

/** A method's name stands in tables of others as it is. */
const METHOD_NAME = /^[A-Za-z0-9][\w .+-]{0,39}$/;

/** A study: which crops are compared, and by how many people. */
export const studySchema = z.strictObject({
  $schema: z.string().optional(),
  /** Over the page of its results. */
  title: z.string().min(1).max(200).default('Which crop is better?'),
  /** What each judge is asked. */
  question: z.string().min(1).max(500).default('Which crop of this photo is better?'),
  /** How many people judge; each gets a link of their own. */
  judges: z.int().min(1).max(1000).default(3),
  /** How many of them judge each pair. Default: all. */
  judgesPerPair: z.int().min(1).optional(),
  /** Attention checks a judge may fail without being left out of what `without=failed` gives. */
  maxFailedChecks: z.int().min(0).default(0),
  /** Draws orders and sides. */
  seed: z.int().min(0).default(0),
  /** Files of `framewright crop --json` by method; what they cropped alike is compared. Relative to this file. */
  results: z.record(z.string(), z.string().min(1)).optional(),
  /** Crops by method, each photo for one target. Photos are looked for where the command runs, then beside this file. */
  photos: z
    .array(
      z.strictObject({
        path: z.string().min(1),
        aspect: z.string().min(1).optional(),
        size: z.string().min(1).optional(),
        crops: z.record(z.string(), boxSchema),
      }),
    )
    .default([]),
  /** Attention checks: pairs whose better crop is beyond doubt. Every judge gets them all, among the others. */
  checks: z.array(z.strictObject({ path: z.string().min(1), better: boxSchema, worse: boxSchema })).default([]),
});
type StudyFile = z.infer<typeof studySchema>;
/** A study as it is written. */
export type StudyText = z.input<typeof studySchema>;
export type StudyPhoto = StudyFile['photos'][number];

/** What is judged. */
export interface Study extends Omit<StudyFile, '$schema' | 'results' | 'photos' | 'checks' | 'judgesPerPair'> {
  readonly judgesPerPair: number;
  readonly pairs: readonly Pair[];
  readonly checks: readonly Pair[];
  /** Pairs of methods that made the very same crop: there is nothing to judge. */
  readonly nSame: number;
  /** For people: photos that cannot be compared, and why. */
  readonly notes: readonly string[];
}

/**
 * @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE; USAGE for what is no study, or one that compares nothing
 */
export async function readStudy(file: string): Promise<Study> {
  const refuse = (why: string): FramewrightError => new FramewrightError('USAGE', `${file} is no study: ${why}`);
  const value = await readJsonFile(file, 'study').catch((error: unknown) => {
    throw error instanceof FramewrightError ? error : refuse(messageOf(error));
  });
  const { data, error } = studySchema.safeParse(value);
  if (error) throw refuse(z.prettifyError(error).split('\n').slice(0, 4).join('; '));
  const { $schema: _, results = {}, photos, checks, judgesPerPair = data.judges, ...rest } = data;
  if (judgesPerPair > data.judges)
    throw refuse(`${judgesPerPair} are to judge each pair, and there are ${data.judges}`);

  const notes: string[] = [];
  const compared = [...photos, ...(await cropsOfResults(results, file))];
  const odd = compared.flatMap(({ crops }) => Object.keys(crops)).find((method) => !METHOD_NAME.test(method));
  if (odd !== undefined)
    throw refuse(`${JSON.stringify(odd)} is no name of a method: letters, digits, blanks and _ . + -`);
  const order = [...Object.keys(results), ...photos.flatMap(({ crops }) => Object.keys(crops))];
  const sized = new Sizes(file);
  const pairs = new Map<string, Pair>();
  let nSame = 0;
  for (const { path: name, aspect, size, crops } of compared) {
    const methods = Object.entries(crops).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
    if (methods.length < 2) {
      notes.push(`${name}: only ${methods[0]?.[0] ?? 'no method'} has a crop of it`);
      continue;
    }
    const photo = await sized.of(
      name,
      methods.map(([, box]) => box),
    );
    const target = targetOf(aspect, size, refuse);
    for (const [i, [a, boxA]] of methods.entries()) {
      for (const [b, boxB] of methods.slice(i + 1)) {
        if (boxA.join() === boxB.join()) nSame++;
        else {
          const pair = makePair({ ...photo, target, a: { method: a, box: boxA }, b: { method: b, box: boxB } });
          pairs.set(pair.id, pair);
        }
      }
    }
  }
  if (pairs.size === 0)
    throw refuse(`no photo has two different crops to compare${notes.length > 0 ? `, e.g. ${notes[0]!}` : ''}`);
  const checkPairs: Pair[] = [];
  for (const { path: name, better, worse } of checks) {
    const photo = await sized.of(name, [better, worse]);
    checkPairs.push(
      makePair({ ...photo, target: 'check', a: { method: 'better', box: better }, b: { method: 'worse', box: worse } }),
    );
  }
  return { ...rest, judgesPerPair, pairs: [...pairs.values()], checks: checkPairs, nSame, notes };
}

function targetOf(
  aspect: string | undefined,
  size: string | undefined,
  refuse: (why: string) => FramewrightError,
): string {
  if (aspect !== undefined && size !== undefined)
    throw refuse('a photo has an aspect and a size, which fixes the aspect');
  const [target] = parseTargets(aspect === undefined ? [] : [aspect], size === undefined ? [] : [size]);
  if (target?.size) return `${target.size.width}x${target.size.height}`;
  return target?.aspect ? formatAspect(target.aspect) : 'free';
}

/** Of a line of `--json`, what is compared. */
const resultSchema = cropResultSchema
  .pick({ photo: true, target: true, crop: true })
  .extend({ photo: cropResultSchema.shape.photo.required({ path: true }) });
const RESULT_LINE = { noun: 'result', example: 'one of framewright crop --json', schema: resultSchema };

/**
 * Crops of the same photo for the same target, whichever file they come from.
 *
 * @param results files by method, relative to the study's
 */
export async function cropsOfResults(
  results: Readonly<Record<string, string>>,
  studyFile: string,
): Promise<StudyPhoto[]> {
  const photos = new Map<string, StudyPhoto>();
  for (const [method, name] of Object.entries(results)) {
    const file = path.resolve(path.dirname(studyFile), name);
    for (const { value } of await readJsonLines(file, RESULT_LINE)) {
      const { photo, target, crop } = value;
      const size = target.size && `${target.size.widthPx}x${target.size.heightPx}`;
      const key = JSON.stringify([photo.path, target.aspect, size]);
      const found = photos.get(key) ?? {
        path: photo.path,
        ...(target.aspect !== undefined && { aspect: target.aspect }),
        ...(size !== undefined && { size }),
        crops: {},
      };
      photos.set(key, { ...found, crops: { ...found.crops, [method]: boxOfRect(crop) } });
    }
  }
  return [...photos.values()];
}

/** Looks into each photo once. */
class Sizes {
  readonly #studyFile: string;
  readonly #known = new Map<string, Size>();

  constructor(studyFile: string) {
    this.#studyFile = studyFile;
  }

  /** @throws FramewrightError USAGE for a box outside; as the photo's decoder */
  async of(name: string, boxes: readonly Box[]): Promise<{ path: string; name: string; size: Size }> {
    const file = path.resolve(listedPath({ path: name }, this.#studyFile));
    const size = this.#known.get(file) ?? (await decodePhoto(file, { name }));
    this.#known.set(file, { width: size.width, height: size.height });
    const outside = boxes.find(([x1, y1, x2, y2]) => x1 < 0 || y1 < 0 || x2 > size.width || y2 > size.height);
    if (outside) {
      throw new FramewrightError(
        'USAGE',
        `${this.#studyFile}: the crop [${outside.join(', ')}] is not inside ${name}, ${size.width}x${size.height} px`,
      );
    }
    return { path: file, name, size: { width: size.width, height: size.height } };
  }
}
