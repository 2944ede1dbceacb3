import sharp, { type Sharp } from 'sharp';
import smartcropModule from 'smartcrop';
import { boxOfRect, intersectionOverUnion, unionOf, type Aspect, type Box, type Size } from '../base/geometry.js';
import { allows, impossible, largestOfAspect, placeAround } from './constraints.js';
import type { EngineCandidate, EngineOptions, EngineProposal, Raster } from './types.js';

export interface SaliencyOptions extends EngineOptions {
  /**
   * Least side of a crop over the side of the largest crop of its aspect ratio. Default 0.9: of 0.7, 0.8 and 0.9 the
   * one whose crops agree best with FLMS's annotators (best IoU .782, .801, .823 with smartcrop).
   */
  readonly minScale?: number;
}

const DEFAULT_MIN_SCALE = 0.9;
/** smartcrop's own step between crop sizes; the attention strategy is offered the same sizes. */
const SCALE_STEP = 0.1;
/** Two candidates that overlap more are one to a viewer. */
const DISTINCT_IOU = 0.8;

/** The part of smartcrop 2.0.5 used here; its own types cover only canvases. */
interface Smartcrop {
  readonly ImgData: new (width: number, height: number, data: Uint8Array) => object;
  crop(
    image: Raster,
    options: {
      readonly width: number;
      readonly height: number;
      readonly minScale: number;
      /** Gives `crops`, every window it scored. */
      readonly debug: true;
      readonly imageOperations: {
        open(image: Raster): Promise<Size>;
        resample(image: Size, width: number, height: number): Size;
        getData(image: Size): Promise<object>;
      };
    },
  ): Promise<{ readonly crops: readonly (SmartcropWindow & { readonly score: { readonly total: number } })[] }>;
}

interface SmartcropWindow extends Size {
  readonly x: number;
  readonly y: number;
}

const smartcrop = smartcropModule as unknown as Smartcrop;

/**
 * smartcrop.js (Jonas Wagner): windows on a grid scored by edges, skin colour and saturation. Without `aspect` the
 * photo's own ratio is kept. Boxes to keep and the least area filter the windows it scored.
 * @throws FramewrightError `ASPECT_IMPOSSIBLE` where none of its windows passes.
 */
export async function smartcropEngine(raster: Raster, options: SaliencyOptions): Promise<EngineProposal> {
  const largest = largestSize(raster.size, options.aspect);
  const minScale = leastScale(raster.size, largest, options);
  // smartcrop goes no smaller than the size asked for, so an eighth of it is asked for; eight divides without rounding.
  const { crops } = await smartcrop.crop(raster, {
    width: largest.width / 8,
    height: largest.height / 8,
    minScale,
    debug: true,
    imageOperations: imageOperations(raster),
  });
  const windows = crops
    .map((window) => ({ box: boxOf(window, raster.size, largest, options.aspect), total: window.score.total }))
    .filter(({ box }) => isCrop(box) && allows(box, raster.size, options))
    .sort((a, b) => b.total - a.total);
  const weights = softmaxOfStandardised(windows.map(({ total }) => total));
  const distinct: EngineCandidate[] = [];
  windows.forEach(({ box }, i) => {
    if (distinct.length >= options.count) return;
    if (distinct.some((chosen) => intersectionOverUnion(chosen.box, box) > DISTINCT_IOU)) return;
    distinct.push({ box, score: weights[i]!, why: 'edges, skin colour and saturation are densest here (smartcrop)' });
  });
  return proposal(distinct, raster.size, options);
}

/**
 * libvips' attention strategy as sharp offers it: the crop moves along one side to the region of most edges, skin colour
 * and saturation. It only ever cuts one side, so the horizontal and the vertical place are asked for one after the other.
 * It has no score: larger crops come first.
 * @throws FramewrightError `ASPECT_IMPOSSIBLE` where no size leaves room for the boxes to keep and the least area.
 */
export async function attentionEngine(raster: Raster, options: SaliencyOptions): Promise<EngineProposal> {
  const largest = largestSize(raster.size, options.aspect);
  const minScale = leastScale(raster.size, largest, options);
  const candidates: EngineCandidate[] = [];
  // Cutting nothing is no answer of a strategy, unless nothing else is allowed or the ratio already cuts.
  const isWholeFrame = largest.width === raster.size.width && largest.height === raster.size.height;
  const firstScale = isWholeFrame && minScale <= 1 - SCALE_STEP ? 1 - SCALE_STEP : 1;
  for (let scale = firstScale; scale >= minScale - 1e-9 && candidates.length < options.count; scale -= SCALE_STEP) {
    const size = scaledSize(largest, scale, options.aspect);
    const x = await attentionOffset(raster, { width: size.width, height: raster.size.height }, 'x');
    const y = await attentionOffset(raster, { width: raster.size.width, height: size.height }, 'y');
    const centre = [x + size.width / 2, y + size.height / 2] as const;
    const box = placeAround(size, centre, raster.size, unionOf(options.keep ?? []));
    if (isCrop(box) && allows(box, raster.size, options)) {
      const why = 'the region of most edges, skin colour and saturation (libvips attention)';
      candidates.push({ box, score: scale * scale, why });
    }
  }
  return proposal(candidates, raster.size, options);
}

function imageOperations(raster: Raster): Parameters<Smartcrop['crop']>[1]['imageOperations'] {
  return {
    open: ({ size }) => Promise.resolve(size),
    resample: (_image, width, height) => ({ width: Math.trunc(width), height: Math.trunc(height) }),
    getData: async ({ width, height }) => {
      const rgba = await sharpOf(raster)
        .resize(width, height, { fit: 'fill', kernel: 'cubic' })
        .ensureAlpha()
        .raw()
        .toBuffer();
      return new smartcrop.ImgData(width, height, rgba);
    },
  };
}

function sharpOf({ data, size }: Raster): Sharp {
  return sharp(data, { raw: { width: size.width, height: size.height, channels: 3 } });
}

async function attentionOffset(raster: Raster, window: Size, axis: 'x' | 'y'): Promise<number> {
  if (window.width === raster.size.width && window.height === raster.size.height) return 0;
  const { info } = await sharpOf(raster)
    .resize(window.width, window.height, { fit: 'cover', position: sharp.strategy.attention })
    .raw()
    .toBuffer({ resolveWithObject: true });
  // sharp reports how far the picture was moved under the window.
  const offset = -((axis === 'x' ? info.cropOffsetLeft : info.cropOffsetTop) ?? 0);
  const room = axis === 'x' ? raster.size.width - window.width : raster.size.height - window.height;
  return Math.max(0, Math.min(room, offset));
}

function largestSize(frame: Size, aspect: Aspect | undefined): Size {
  return aspect === undefined ? frame : largestOfAspect(aspect, frame);
}

function scaledSize(largest: Size, scale: number, aspect: Aspect | undefined): Size {
  const width = Math.max(1, Math.round(largest.width * scale));
  const height =
    aspect === undefined ? Math.round(largest.height * scale) : Math.round(width / (aspect.width / aspect.height));
  return { width, height: Math.max(1, Math.min(largest.height, height)) };
}

function leastScale(frame: Size, largest: Size, options: SaliencyOptions): number {
  const { minScale = DEFAULT_MIN_SCALE, minSize = 0 } = options;
  const share = (largest.width * largest.height) / (frame.width * frame.height);
  if (minSize > share) throw impossible(frame, options);
  return Math.min(1, Math.max(minScale, Math.sqrt(minSize / share)));
}

/** smartcrop rounds each side on its own scale; where a ratio was asked for, the box gets it back around its centre. */
function boxOf(window: SmartcropWindow, frame: Size, largest: Size, aspect: Aspect | undefined): Box {
  if (aspect === undefined) return boxOfRect(window);
  const size = scaledSize(largest, Math.min(1, window.width / largest.width), aspect);
  return placeAround(size, [window.x + window.width / 2, window.y + window.height / 2], frame);
}

/** Windows of a photo a few pixels wide may round to nothing. */
function isCrop([x1, y1, x2, y2]: Box): boolean {
  return x1 < x2 && y1 < y2;
}

function softmaxOfStandardised(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return values.map((value) => Math.exp(deviation > 0 ? (value - mean) / deviation : 0));
}

function proposal(candidates: readonly EngineCandidate[], frame: Size, options: EngineOptions): EngineProposal {
  if (candidates.length === 0) throw impossible(frame, options);
  const total = candidates.reduce((sum, { score }) => sum + score, 0);
  return { elements: [], candidates: candidates.map((each) => ({ ...each, score: each.score / total })), best: 0 };
}
