import path from 'node:path';
import { z } from 'zod';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { boxCentre, boxOfSize, clipped, type Box, type Size } from '../../base/geometry.js';
import { listedPath } from '../../batch/listed-path.js';
import { predictionSchema } from '../../eval/prediction.js';
import { readJsonFile } from '../../files/json-file.js';
import { decodePhoto } from '../../photo/decode.js';
import { lotsFor, shuffled } from '../../train/lots.js';
import { cropsOfResults, type StudyPhoto, type StudyText } from './study-file.js';

export interface MakeStudyOptions {
  /** Results of `--json` by method, or one file of `eval --out` (.json), whose methods have names of their own. */
  readonly sources: readonly { readonly method: string; readonly file: string }[];
  readonly judges: number;
  /** Attention checks, on photos drawn by lot. */
  readonly nChecks: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** The worse crop of an attention check has this share of the photo's sides: next to nothing of it. */
const CHECK_SIDE = 1 / 8;

/**
 * A study of what files say of the same photos, as its file has it. Its attention checks are the first method's crops against
 * a corner of the photo: to be looked through before anybody judges.
 *
 * @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE; USAGE
 */
export async function makeStudy({ sources, judges, nChecks, seed, signal }: MakeStudyOptions): Promise<StudyText> {
  const photos = (await photosOf(sources)).filter(({ crops }) => Object.keys(crops).length >= 2);
  if (photos.length === 0) throw new FramewrightError('USAGE', 'no photo has crops of two methods for the same target');
  const checks: NonNullable<StudyText['checks']> = [];
  for (const { path: file, crops } of shuffled(photos, lotsFor(seed, 'checked photos')).slice(0, nChecks)) {
    const better = Object.values(crops)[0]!;
    const size = await decodePhoto(file, { ...(signal && { signal }) });
    checks.push({ path: file, better, worse: cornerAway(better, size) });
  }
  return { judges, seed, photos, checks };
}

async function photosOf(sources: MakeStudyOptions['sources']): Promise<StudyPhoto[]> {
  const [first] = sources;
  if (sources.length === 1 && first && path.extname(first.file) === '.json') return photosOfEvaluation(first.file);
  const results = new Map(sources.map(({ method, file }) => [method, path.resolve(file)]));
  if (results.size < 2) {
    throw new FramewrightError(
      'USAGE',
      'name the results of two methods (ours=a.jsonl theirs=b.jsonl), or one file of eval --out',
    );
  }
  const photos = await cropsOfResults(Object.fromEntries(results), '.');
  return photos.map((photo) => ({ ...photo, path: path.resolve(listedPath({ path: photo.path }, first!.file)) }));
}

/** Of `EvaluationResult`, what a study is made of. */
const evaluationSchema = z.object({
  methods: z.array(z.object({ name: z.string() })).min(1),
  photos: z.array(
    z.object({
      path: z.string().optional(),
      size: z.object({ width: z.number().positive(), height: z.number().positive() }),
      predictions: z.array(z.object({ prediction: predictionSchema })),
    }),
  ),
});

async function photosOfEvaluation(file: string): Promise<StudyPhoto[]> {
  const refuse = (why: string): FramewrightError =>
    new FramewrightError('USAGE', `${file} is nothing that framewright eval --out wrote: ${why}`);
  const value = await readJsonFile(file, 'evaluation').catch((error: unknown) => {
    throw error instanceof FramewrightError ? error : refuse(messageOf(error));
  });
  const { data, error } = evaluationSchema.safeParse(value);
  if (error) throw refuse(z.prettifyError(error).split('\n').slice(0, 2).join('; '));
  const methods = data.methods.map(({ name }) =>
    name
      .replace(/[^\w .+-]+/g, '-')
      .replace(/^\W+/, '')
      .slice(0, 40),
  );
  const photos: StudyPhoto[] = [];
  for (const { path: name, size, predictions } of data.photos) {
    if (name === undefined) continue;
    const photo = await decodePhoto(path.resolve(name));
    const crops = predictions.flatMap(({ prediction }, m) => {
      const box = 'boxes' in prediction ? inPixels(prediction.boxes[0]!, size, photo) : undefined;
      return box ? [[methods[m]!, box] as const] : [];
    });
    photos.push({ path: path.resolve(name), crops: Object.fromEntries(crops) });
  }
  return photos;
}

/** A box of label space, in whole pixels of the upright photo. */
function inPixels([x1, y1, x2, y2]: Box, from: Size, photo: Size): [number, number, number, number] | undefined {
  const [scaleX, scaleY] = [photo.width / from.width, photo.height / from.height];
  const box = clipped([x1 * scaleX, y1 * scaleY, x2 * scaleX, y2 * scaleY], photo)?.map(Math.round) as
    [number, number, number, number] | undefined;
  return box && box[0] < box[2] && box[1] < box[3] ? box : undefined;
}

/** In the corner that is farthest from a crop's middle. */
function cornerAway(crop: Box, { width, height }: Size): [number, number, number, number] {
  const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side * CHECK_SIDE))) as [number, number];
  const [x, y] = boxCentre(crop);
  const [middleX, middleY] = boxCentre(boxOfSize({ width, height }));
  const [left, top] = [x > middleX ? 0 : width - w, y > middleY ? 0 : height - h];
  return [left, top, left + w, top + h];
}
