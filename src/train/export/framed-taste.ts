import sharp from 'sharp';
import { CROP_DEFAULTS } from '../../crop/defaults.js';
import { limitsInFrame } from '../../crop/limits-in-frame.js';
import { framePhoto, type ReadyPhoto } from '../../crop/ready-photo.js';
import { subjectElement } from '../../engines/rules/elements.js';
import { toUnit } from '../../engines/rules/scoring/aspect-grid.js';
import type { Coordinates } from '../../base/coordinates.js';
import { FramewrightError } from '../../base/errors.js';
import { BOX_KINDS, isOneOf, type Element } from '../../base/schema.js';
import { clipped, type Box, type Size } from '../../base/geometry.js';
import { decodePhoto } from '../../photo/decode.js';
import { frameMap, type PixelBudget } from '../../photo/frame.js';
import { renderRegion } from '../../photo/render.js';
import { canonicalElements } from '../canonical-elements.js';
import type { Lots } from '../lots.js';
import type { OwnAnswer, RatedBox, TastePhoto } from '../sources/types.js';
import { wellRated } from '../sources/well-rated.js';
import { pairsAgainstOwn } from '../targets/pairs-against-own.js';
import { pairsOfRatings, type PairOptions } from '../targets/pairs-of-ratings.js';
import type { FramedTaste } from '../targets/photo-records.js';
import type { ConversationWriter } from '../written-conversation.js';
import type { Analyst } from './analyst.js';

export interface FramingOptions {
  readonly budget: PixelBudget;
  /** What the model's answers count in. */
  readonly coordinates: Coordinates;
  readonly writer: ConversationWriter;
  readonly analyst: Analyst;
  /** Candidates in a list. */
  readonly count: number;
  readonly pairs: PairOptions;
  readonly signal?: AbortSignal;
}

/** A photo as the model will see it, with what people said of it in the coordinates of its answers. */
export interface FramedPhoto {
  readonly ready: ReadyPhoto;
  readonly taste: FramedTaste;
}

/**
 * Takes a photo and its labels into the model's frame; what is not labelled, the analyst says.
 *
 * @throws FramewrightError as decodePhoto; ASPECT_IMPOSSIBLE, ANSWER_INVALID where no composition can be said of it
 */
export async function frameTaste(photo: TastePhoto, options: FramingOptions, lots: Lots): Promise<FramedPhoto> {
  const { budget, coordinates, writer, analyst, count, pairs, signal } = options;
  const shown = photo.part ? await pngOfPart(photo.path, photo.part, signal) : photo.path;
  const ready = await framePhoto(shown, { pixelBudget: budget, coordinates }, signal ? { signal } : {});
  const labelled: Size = photo.space ?? ready.photo;
  const target = photo.target ?? {};
  const people = photo.crops.filter(({ isDrawn }) => !isDrawn);
  const isCropped = people.length > 0 || photo.pairs.length > 0;
  const isShort = people.length > 0 && wellRated(people, pairs.gap).length < count;
  const own =
    photo.own ?? (photo.elements === undefined || isShort ? await analyst.look(shown, target, signal) : undefined);
  const { toFrame } = frameMap(labelled, ready.space);
  const preferred = photo.isPreferredToOwn && own ? people.flatMap(({ box }) => pairsAgainstOwn(box, own)) : [];
  const rated = photo.crops.map((crop): RatedBox => ({ ...crop, box: toFrame.box(crop.box) }));
  return {
    ready,
    taste: {
      frame: ready.frame,
      limits: limitsInFrame(ready, target, [], CROP_DEFAULTS.minSize),
      target,
      elements: await elementsOf(photo, own, { ready, labelled }, writer),
      crops: rated,
      pairs: [
        ...[...photo.pairs, ...preferred].map(({ chosen, rejected }) => ({
          chosen: toFrame.box(chosen),
          rejected: toFrame.box(rejected),
        })),
        ...pairsOfRatings(rated, pairs, lots),
      ].slice(0, pairs.count),
      own: (own?.candidates ?? []).map((box) => ready.map.toFrame.box(box)),
      isAnalysisOnly: !isCropped && (photo.elements !== undefined || photo.subject !== undefined),
    },
  };
}

async function elementsOf(
  photo: TastePhoto,
  own: OwnAnswer | undefined,
  { ready, labelled: from }: { readonly ready: ReadyPhoto; readonly labelled: Size },
  { tokens }: ConversationWriter,
): Promise<Element[]> {
  const { space, map } = ready;
  const labelled = frameMap(from, space).toFrame;
  const seen = photo.elements
    ? photo.elements.map((element) => labelled.element(element))
    : (own?.elements ?? []).map((element) => map.toFrame.element(element));
  const subject = photo.subject && subjectIn(labelled.box(photo.subject), space);
  const named = subject ? [subject, ...seen.filter(({ type }) => !isOneOf(BOX_KINDS, type))] : seen;
  for (const wanted of [named, seen]) {
    // A mask's subject may be too small to be named: then the analysis keeps its own.
    const elements = await canonicalElements(wanted, space, tokens);
    if (elements.length > 0) return elements;
  }
  throw new FramewrightError('ANSWER_INVALID', 'no composition element of it is large enough to be named');
}

function subjectIn(box: Box, space: Size): Element | undefined {
  const inside = clipped(box, space);
  return inside && subjectElement(toUnit(inside, space), space);
}

/** A part of the upright photo as a picture of its own. */
async function pngOfPart(file: string, [left, top, right, bottom]: Box, signal?: AbortSignal): Promise<Uint8Array> {
  const options = signal ? { signal } : {};
  const [width, height] = [right - left, bottom - top];
  const photo = await decodePhoto(file, options);
  const rgb = await renderRegion(photo, { x: left, y: top, width, height }, options);
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
}
