// Writes training shards for the nano model. Run `npm run build` first.
//   node dist/training/nano/export.js --out shard --labels labels.jsonl [--labels ...] (--corpus folder [--cuts 2] |
//     --scenes 4000 [--first 0] [--corpus folder]) [--mirrored] [--conversations] [--variant 1]
//     [--places places.jsonl ...] [--proposals proposals.jsonl] [--part 0/2] [--limit n]
// Photos without labels are left out (label.ts, with the same options), but for those with places (teacher/label.py): these
// have a frame and no conversation. A scene without labels teaches the analysis only.
import { cellPxOf, FAMILIES } from '../../gguf/index.js';
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { buildVocabulary } from '../../gguf/tokenizer.js';
import { AnswerTokens } from '../../src/vlm/answer/answer-tokens.js';
import { gridBoxes } from '../../src/engines/rules/scoring/grid.js';
import type { Box, Size } from '../../src/base/geometry.js';
import { subjectElement } from '../../src/engines/rules/elements.js';
import { decodePhoto } from '../../src/photo/decode.js';
import { chooseFrame, frameMap } from '../../src/photo/frame.js';
import { positionRamps } from '../../src/photo/ramps.js';
import { renderFrame } from '../../src/photo/render.js';
import { loadPromptProfile } from '../../src/vlm/prompt/profile.js';
import type { Element } from '../../src/base/schema.js';
import { enhance } from '../../src/vlm/enhance/enhance.js';
import { canonicalElements } from '../../src/train/canonical-elements.js';
import { recordConversation } from '../../src/train/record.js';
import { vocabularyTokenizer } from '../../src/train/vocabulary-tokenizer.js';
import { dice } from '../scenes/dice.js';
import { MAPS, denseMaps, type MeasuredPlane } from './dense-maps.js';
import { mirrorBox, mirrorElement, mirrorRaster } from './mirror.js';
import { NANO_USE } from './nano-use.js';
import { checkPhrases } from '../../src/train/targets/reason.js';
import { openShard } from './shard-writer.js';
import { readLabels, type TeacherLabels } from './labels.js';
import { MASK_SIDE, mirroredPlaces, readPlaces, type PlaceLabels } from './places.js';
import { readOptions, viewsOf } from './options.js';
import { proposalTarget } from './targets.js';
import type { View } from './views.js';
import { nanoTokenizer } from './vocabulary.js';

/** Between the seeds of one variant and those of the next. */
const VARIANT_SEEDS = 1_000_000_007;

const options = readOptions();
const proposals = options.proposals === undefined ? undefined : await readProposals(options.proposals);
const placesBySource = new Map((await Promise.all(options.places.map(readPlaces))).flatMap((places) => [...places]));
const labelsBySource = new Map((await Promise.all(options.labels.map(readLabels))).flatMap((labels) => [...labels]));

const profile = await loadPromptProfile(NANO_USE.promptProfile);
if (profile.reasons.kind !== 'phrase') throw new Error('the nano model gives reasons in phrases');
checkPhrases(profile.reasons.phrases);
const vocabulary = buildVocabulary(nanoTokenizer(profile.reasons.phrases));
const tokenizer = vocabularyTokenizer(vocabulary);
const tokens = new AnswerTokens(tokenizer);
const boxes = gridBoxes();
const mirrorImage = mirroredIndices();
const writer = await openShard(options.out);

let nViews = 0;
let nRefused = 0;
for await (const view of viewsOf(options)) {
  if (nViews >= options.limit) break;
  const places = placesBySource.get(view.source);
  const labels = withSubject(labelsBySource.get(view.source), places, view.raster.size);
  if (!labels && !view.elements && !places) continue;
  const proposed = proposals?.get(view.source);
  if (proposals && !proposed) continue;
  await exportView({ ...view, proposed, places }, labels);
  if (options.mirrored) await exportView(...mirrored({ ...view, proposed, places }, labels));
  nViews++;
  if (nViews % 100 === 0) console.error(`${options.out}: ${nViews} pictures`);
}
const frameBudget = {
  minPixels: NANO_USE.pixelBudget.min,
  maxPixels: NANO_USE.pixelBudget.max,
  cellPx: cellPxOf(FAMILIES.qwen2vl),
};
await writer.close({
  vocabulary: vocabulary.tokens,
  types: vocabulary.types,
  promptVersion: profile.version,
  use: NANO_USE,
  frameBudget,
  boxes,
  maps: MAPS,
  imagePad: vocabulary.tokens.indexOf('<|image_pad|>'),
  integerTokens: Array.from({ length: 1000 }, (_, i) => vocabulary.tokens.indexOf(String(i))),
});
console.error(`${options.out}: ${nViews} pictures done, ${nRefused} without a conversation`);

/** A picture with what a model has proposed for it, in its pixels, and what the teacher says of its subject. */
interface Asked extends View {
  readonly proposed?: readonly Box[] | undefined;
  readonly places?: PlaceLabels | undefined;
}

function maskOf(places: PlaceLabels | undefined): MeasuredPlane | undefined {
  return places?.mask && { width: MASK_SIDE, height: MASK_SIDE, data: places.mask };
}

/** Where a mask was made, the subject is what it shows, or nothing: better none than an invented one. */
function withSubject(
  labels: TeacherLabels | undefined,
  places: PlaceLabels | undefined,
  size: Size,
): TeacherLabels | undefined {
  if (!labels || !places?.mask) return labels;
  const others = labels.elements.filter((element) => !('box' in element));
  const elements = places.subject ? [subjectElement(places.subject, size), ...others] : others;
  return elements.length > 0 ? { ...labels, elements } : labels;
}

async function exportView(view: Asked, labels: TeacherLabels | undefined): Promise<void> {
  const { raster } = view;
  const png = await sharp(raster.data, { raw: { ...raster.size, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
  const photo = await decodePhoto(Uint8Array.from(png));
  const { min, max } = NANO_USE.pixelBudget;
  const frame = chooseFrame(raster.size, { minPixels: min, maxPixels: max, cellPx: cellPxOf(FAMILIES.qwen2vl) });
  const rgb = await renderFrame(photo, frame);
  const map = frameMap(raster.size, frame);
  const seen = view.elements ?? labels?.elements ?? [];
  const elements = await canonicalElements(
    seen.map((element) => map.toFrame.element(element)),
    frame,
    tokens,
  );
  const conversation = options.conversations ? await conversationOf(view, labels, frame, elements, rgb) : undefined;
  await writer.write({
    source: view.source,
    frame,
    photo: positionRamps(rgb, frame, FAMILIES.qwen2vl.patchPx),
    maps: denseMaps(frame, elements, labels?.saliency, maskOf(view.places)),
    ...(labels && {
      boxScores: labels.distribution.probabilities.map((probability) => Math.log(probability + 1e-12)),
    }),
    elements,
    ...conversation,
  });
}

async function conversationOf(
  view: Asked,
  labels: TeacherLabels | undefined,
  frame: { width: number; height: number },
  elements: readonly Element[],
  rgb: Uint8Array,
): Promise<
  { conversation: Awaited<ReturnType<typeof recordConversation>> & { kind: string }; enhanced: Uint8Array } | undefined
> {
  const roll = dice(view.seed + VARIANT_SEEDS * options.variant);
  const target =
    elements.length > 0
      ? proposalTarget(roll, view.raster.size, labels, { data: rgb, size: frame }, elements, view.proposed, view.places)
      : undefined;
  if (!target) {
    nRefused++;
    return undefined;
  }
  const record = await recordConversation({ frame, elements, ...target }, { tokenizer, tokens, profile });
  const enhanced = positionRamps(await enhance({ frame, rgb }, elements, NANO_USE), frame, FAMILIES.qwen2vl.patchPx);
  return { conversation: { ...record, kind: target.kind }, enhanced };
}

/** The view as a mirror shows it, with its labels. */
function mirrored(view: Asked, labels: TeacherLabels | undefined): [Asked, TeacherLabels | undefined] {
  const { width } = view.raster.size;
  return [
    {
      source: `${view.source}|mirrored`,
      raster: mirrorRaster(view.raster),
      ...(view.elements ? { elements: view.elements.map((element) => mirrorElement(element, width)) } : {}),
      ...(view.proposed ? { proposed: view.proposed.map((box) => mirrorBox(box, width)) } : {}),
      ...(view.places ? { places: mirroredPlaces(view.places) } : {}),
      seed: view.seed + 500_000_000,
    },
    labels && mirroredLabels(labels, width),
  ];
}

function mirroredLabels({ elements, distribution, saliency }: TeacherLabels, width: number): TeacherLabels {
  return {
    elements: elements.map((element) => mirrorElement(element, width)),
    distribution: {
      boxes,
      probabilities: distribution.probabilities.map((_, i) => distribution.probabilities[mirrorImage[i]!] ?? 0),
    },
    saliency: {
      ...saliency,
      data: saliency.data.map((_, i) => {
        const x = i % saliency.width;
        return saliency.data[i - x + saliency.width - 1 - x]!;
      }),
    },
  };
}

async function readProposals(file: string): Promise<Map<string, readonly Box[]>> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  return new Map(
    lines.map((line) => {
      const { source, boxes } = JSON.parse(line) as { source: string; boxes: Box[] };
      return [source, boxes];
    }),
  );
}

/** Of each grid box its mirror image; -1 where rounding left that out of the grid. */
function mirroredIndices(): number[] {
  const key = (box: readonly number[]): string => box.map((edge) => edge.toFixed(4)).join();
  const indexOf = new Map(boxes.map((box, i) => [key(box), i]));
  return boxes.map(([x1, y1, x2, y2]) => indexOf.get(key([1 - x2, y1, 1 - x1, y2])) ?? -1);
}
