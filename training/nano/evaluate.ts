// Measures a model through the product itself. Run `npm run build` first.
//   node dist/training/nano/evaluate.js --model gguf/nano [--flms folder] [--scenes 300] [--first 0] [--out figures.json]
//     [--against earlier.json] [--pairs 16] [--pair-seed 7] [--subjects training/rules/subjects.json --corpus folder]
// FLMS: crops against the annotators' boxes, beside the floors; pairs of a better and a clearly worse crop by what people
// chose and by the teacher's scores, ranked by log-likelihood, and how many more of them than an earlier model's; agreement
// of crops of the photo and its mirror image. Scenes: elements against what was drawn, ends of lines as shares of the longer
// side. Subjects: the subject's box against one drawn by hand, on photos of the training corpus, whose labels are the
// teacher's.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { z } from 'zod';
import { openCropper, type Cropper } from '../../src/cropper/cropper.js';
import { readFlms } from '../../src/eval/datasets/flms.js';
import { cropAgreement } from '../../src/eval/metrics/crops.js';
import { bootstrapSamples, percentileInterval } from '../../src/base/intervals.js';
import { matchedErrors } from '../../src/eval/metrics/localisation.js';
import { intersectionOverUnion, type Box, type Size } from '../../src/base/geometry.js';
import { ELEMENT_KINDS, type CropRect, type Element } from '../../src/base/schema.js';
import { drawScene } from '../scenes/scene.js';
import { mirrorBox } from './mirror.js';
import { humanPairs, scorerPairs, type Draw, type Pair } from './pairs.js';
import { readRaster } from './views.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    flms: { type: 'string' },
    scenes: { type: 'string', default: '0' },
    first: { type: 'string', default: '0' },
    limit: { type: 'string', default: 'Infinity' },
    out: { type: 'string' },
    against: { type: 'string' },
    pairs: { type: 'string', default: '16' },
    'pair-seed': { type: 'string', default: '7' },
    subjects: { type: 'string' },
    corpus: { type: 'string' },
  },
});
if (!values.model) throw new Error('--model is missing');

const draw: Draw = { count: Number(values.pairs), seed: Number(values['pair-seed']) };
type Figure = string | number;
const figures: Record<string, Record<string, Figure>> = {};
/** By who judges, of each photo the share of its pairs the model ranks right; null where there was no pair. */
type Judged = Record<string, (number | null)[]>;
const judged: Judged = { human: [], scorer: [] };
await using cropper = await openCropper({ model: values.model, gpu: 'cpu' });
if (values.flms) Object.assign(figures, await measureFlms(cropper, values.flms, Number(values.limit)));
if (Number(values.scenes) > 0)
  figures.scenes = await measureScenes(cropper, Number(values.first), Number(values.scenes));
if (values.subjects && values.corpus) figures.subjects = await measureSubjects(cropper, values.subjects, values.corpus);
if (values.against) {
  const earlier = JSON.parse(await readFile(values.against, 'utf8')) as { judged: Judged };
  figures.gain = gains(earlier.judged);
}
console.log(JSON.stringify(figures, undefined, 2));
if (values.out)
  await writeFile(values.out, `${JSON.stringify({ model: cropper.model, figures, judged }, undefined, 2)}\n`);

async function measureFlms(model: Cropper, folder: string, limit: number): Promise<typeof figures> {
  const { photos } = await readFlms(folder);
  const methods: Record<string, number[][]> = { model: [], full: [], centre90: [] };
  const mirrored: number[][] = [];
  const seen = new Set<string>();
  const milliseconds: number[] = [];
  for (const { id, path, boxes } of photos.slice(0, limit)) {
    if (!path) continue;
    const started = performance.now();
    const result = await model.crop(path);
    milliseconds.push(performance.now() - started);
    const size: Size = { width: result.photo.widthPx, height: result.photo.heightPx };
    const { width, height } = size;
    const labelled = photos.find((photo) => photo.id === id)!.size!;
    const annotators = boxes.map((box) => scaled(box, labelled, size));
    const crop = boxOf(result.crop);
    const row = (box: Box): number[] => {
      const { bestIou, bde, meanIou } = cropAgreement(box, annotators, size);
      return [bestIou, meanIou, bde, bestIou >= 0.75 ? 1 : 0];
    };
    methods.model!.push(row(crop));
    methods.full!.push(row([0, 0, width, height]));
    methods.centre90!.push(row([0.05 * width, 0.05 * height, 0.95 * width, 0.95 * height]));
    seen.add(crop.map((edge, i) => ((edge / (i % 2 === 0 ? width : height)) * 20).toFixed(0)).join());

    const mirror = Uint8Array.from(await sharp(path).autoOrient().flop().png({ compressionLevel: 1 }).toBuffer());
    const other = boxOf((await model.crop(mirror)).crop);
    mirrored.push([intersectionOverUnion(crop, mirrorBox(other, width))]);

    judged.human!.push((await shareRight(model, path, humanPairs(annotators, size, id, draw))) ?? null);
    judged.scorer!.push((await shareRight(model, path, scorerPairs(await readRaster(path), id, draw))) ?? null);
  }
  const columns = ['bestIou', 'meanIou', 'bde', 'recall'];
  const out: typeof figures = {};
  for (const [method, rows] of Object.entries(methods)) {
    out[method] = Object.fromEntries(columns.map((name, i) => [name, withInterval(rows.map((row) => [row[i]!]))]));
  }
  out.behaviour = {
    photos: methods.model!.length,
    mirrorIou: withInterval(mirrored),
    differentCrops: seen.size,
    ...Object.fromEntries(
      Object.entries(judged).map(([by, shares]) => [`${by}Pairs`, withInterval(known(shares).map((share) => [share]))]),
    ),
    medianMs: Math.round(milliseconds.sort((a, b) => a - b)[Math.floor(milliseconds.length / 2)]!),
  };
  return out;
}

/** Share of the pairs whose better crop the model finds likelier. */
async function shareRight(model: Cropper, photo: string, pairs: readonly Pair[]): Promise<number | undefined> {
  if (pairs.length === 0) return undefined;
  const ranked = await model.rank(photo, pairs.flat().map(rectOf));
  return mean(pairs.map((_, i) => (ranked[2 * i]! > ranked[2 * i + 1]! ? 1 : 0)));
}

async function measureScenes(model: Cropper, first: number, count: number): Promise<Record<string, Figure>> {
  const counts = new Map(ELEMENT_KINDS.map((kind) => [kind, { hit: 0, said: 0, true: 0 }]));
  const errors = { line: [] as number[], subject: [] as number[] };
  let broken = 0;
  for (let seed = first; seed < first + count; seed++) {
    const { data, size, elements } = await drawScene({ seed });
    const png = await sharp(data, { raw: { ...size, channels: 3 } })
      .png({ compressionLevel: 1 })
      .toBuffer();
    let said: readonly Element[];
    try {
      said = await model.analyse(Uint8Array.from(png));
    } catch {
      broken++;
      continue;
    }
    for (const kind of ELEMENT_KINDS) {
      const own = said.filter(({ type }) => type === kind);
      const labelled = elements.filter(({ type }) => type === kind);
      const count = counts.get(kind)!;
      if (own.length > 0) count.said++;
      if (labelled.length > 0) count.true++;
      if (own.length > 0 && labelled.length > 0) {
        count.hit++;
        const matched = matchedErrors(own, labelled, size);
        const perLongSide = Math.hypot(size.width, size.height) / Math.max(size.width, size.height);
        if ('line' in labelled[0]!) errors.line.push(...matched.map((perDiagonal) => perDiagonal * perLongSide));
      }
    }
    const subject = subjectOf(elements);
    if (subject) errors.subject.push(subjectIou(said, subject));
  }
  const f1 = [...counts].map(([kind, c]) => [kind, (2 * c.hit) / Math.max(1, c.said + c.true)] as const);
  const hits = [...counts.values()].reduce((sum, { hit }) => sum + hit, 0);
  const named = [...counts.values()].reduce((sum, c) => sum + c.said + c.true, 0);
  return {
    broken,
    microF1: (2 * hits) / named,
    macroF1: mean(f1.map(([, value]) => value)),
    ...Object.fromEntries(f1.map(([kind, value]) => [`f1.${kind}`, Number(value.toFixed(3))])),
    lineEndError: withInterval(errors.line.map((value) => [value])),
    subjectIou: withInterval(errors.subject.map((value) => [value])),
  };
}

async function measureSubjects(model: Cropper, file: string, corpus: string): Promise<Record<string, Figure>> {
  const drawnSchema = z.object({
    photos: z.array(z.object({ file: z.string(), box: z.tuple([z.number(), z.number(), z.number(), z.number()]) })),
  });
  const { photos } = drawnSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  const overlaps: number[] = [];
  for (const { file: name, box } of photos) {
    const path = join(corpus, name);
    const { size } = await readRaster(path);
    overlaps.push(subjectIou(await model.analyse(path), scaled(box, { width: 1, height: 1 }, size)));
  }
  return {
    photos: overlaps.length,
    subjectIou: withInterval(overlaps.map((overlap) => [overlap])),
    atLeastHalf: overlaps.filter((overlap) => overlap >= 0.5).length,
  };
}

function subjectOf(elements: readonly Element[]): Box | undefined {
  return elements.flatMap((element) => ('box' in element ? [element.box] : []))[0];
}

/** 0 where no subject was named. */
function subjectIou(said: readonly Element[], drawn: Box): number {
  const guess = subjectOf(said);
  return guess ? intersectionOverUnion(guess, drawn) : 0;
}

function known(shares: readonly (number | null)[]): number[] {
  return shares.filter((share) => share !== null);
}

/** How many more pairs this model ranks right than the one of an earlier file, photo by photo. */
function gains(earlier: Judged): Record<string, Figure> {
  return Object.fromEntries(
    Object.entries(judged).map(([by, shares]) => {
      const differences = shares.flatMap((share, i) => {
        const before = earlier[by]?.[i];
        return share === null || before === null || before === undefined ? [] : [[share - before]];
      });
      return [`${by}Pairs`, withInterval(differences)];
    }),
  );
}

function withInterval(rows: readonly (readonly number[])[]): string {
  if (rows.length === 0) return 'none';
  const average = (sums: readonly number[], n: number): number => sums[0]! / n;
  const { low, high } = percentileInterval(bootstrapSamples(rows, [average])[0]!);
  return `${mean(rows.map(([value]) => value!)).toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function scaled(box: Box, from: Size, to: Size): Box {
  return box.map((edge, i) => edge * (i % 2 === 0 ? to.width / from.width : to.height / from.height)) as unknown as Box;
}

function boxOf({ x, y, width, height }: CropRect): Box {
  return [x, y, x + width, y + height];
}

function rectOf([x1, y1, x2, y2]: Box): CropRect {
  return { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
}
