import type { OverlayOptions as SharpLayer } from 'sharp';
import type { Box, Point, Size } from '../../base/geometry.js';
import type { Element } from '../../base/schema.js';
import type { Photo } from '../decode.js';
import { mapElement } from '../element-map.js';
import { encodeAs, type EncodedImage } from '../encode.js';
import type { OutputFormat } from '../output-format.js';
import { decoding } from '../failure.js';
import { labelSvg, placeLabels, type Label } from './labels.js';
import { CASING, KIND_COLOURS, NEUTRAL } from './palette.js';
import { cased, pathOf, px } from './paths.js';
import { penFor, type Pen } from './pen.js';
import { displayed } from '../render.js';
import { boxAnchors, elementShape, inset } from './shapes.js';
import { sharp } from '../vips.js';

/** What to draw, in whole numbers of `space`: the model frame, the upright photo, or the grid a model counts in. */
export interface Drawing {
  readonly space: Size;
  readonly elements: readonly Element[];
  /** Drawn thin and numbered from 1. */
  readonly candidates?: readonly Box[];
  /** Drawn thick, the picture around it dimmed; `number` is that of the candidate it is made from. */
  readonly best?: { readonly box: Box; readonly number?: number };
}

export interface DrawOptions {
  /** Names of the elements and numbers of the candidates. Default true. */
  readonly labels?: boolean;
}

/**
 * The drawing as one SVG of the target's size: the only code that draws compositions, for the model and for people.
 * It needs no fonts and gives the same bytes on every machine.
 */
export function overlaySvg(drawing: Drawing, target: Size, options: DrawOptions = {}): string {
  const { width, height } = target;
  const body = layersOf(drawing, target, options).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${body}</svg>`;
}

export interface FrameDrawOptions extends DrawOptions {
  /** What the elements' coordinates lie in. Default: the frame. */
  readonly space?: Size;
  readonly signal?: AbortSignal;
}

/**
 * The frame with the composition drawn on it: what CROP calls the enhanced image.
 * @param rgb row-major RGB of the frame, left as it is.
 * @returns RGB of the same size.
 */
export async function drawOnFrame(
  rgb: Uint8Array,
  frame: Size,
  elements: readonly Element[],
  options: FrameDrawOptions = {},
): Promise<Uint8Array> {
  const layer = compositeLayer({ space: options.space ?? frame, elements }, frame, options);
  const pipeline = sharp(rgb, { raw: { ...frame, channels: 3 } }).composite([layer]);
  return decoding('the model frame', () => pipeline.removeAlpha().raw().toBuffer(), options.signal);
}

export interface OverlayOptions extends DrawOptions {
  /** Default `jpeg`. */
  readonly format?: OutputFormat;
  readonly quality?: number;
  readonly signal?: AbortSignal;
}

/** The upright photo at its own resolution, in sRGB and without metadata, with the drawing on it. */
export async function renderOverlay(
  photo: Photo,
  drawing: Drawing,
  options: OverlayOptions = {},
): Promise<EncodedImage> {
  const size = { width: photo.width, height: photo.height };
  const pipeline = displayed(photo)
    .composite([compositeLayer(drawing, size, options)])
    .removeAlpha();
  return encodeAs(photo, pipeline, { ...options, ...size, format: options.format ?? 'jpeg', bitDepth: 8 });
}

function compositeLayer(drawing: Drawing, target: Size, options: DrawOptions): SharpLayer {
  return { input: Buffer.from(overlaySvg(drawing, target, options)), left: 0, top: 0, limitInputPixels: false };
}

/** From the back to the front: dimming, guides, elements, candidates, the best crop, labels. */
function layersOf(drawing: Drawing, target: Size, { labels: withLabels = true }: DrawOptions): string[] {
  const pen = penFor(target);
  const scaled = scaledTo(target, drawing);
  const shapes = scaled.elements.map((element) => ({ type: element.type, ...elementShape(element, target, pen) }));
  const guides = [...new Set(shapes.map((shape) => shape.guides))].join('');
  const candidates = (scaled.candidates ?? [])
    .map((box, index) => ({ box: inset(box, target, pen), number: index + 1 }))
    .filter(({ number }) => number !== scaled.best?.number);
  const best = scaled.best && { ...scaled.best, box: inset(scaled.best.box, target, pen) };

  const drawn = [
    scaled.best ? dimmed(scaled.best.box, target) : '',
    guides,
    ...shapes.map((shape) => shape.strokes),
    ...candidates.map(({ box }) => frameSvg(box, NEUTRAL, pen.candidatePx, pen, pen.dashes)),
    best ? frameSvg(best.box, NEUTRAL, pen.bestPx, pen) : '',
  ];
  if (withLabels) {
    // A number belongs to its box alone if it stands inside.
    const numbers: Label[] = [...(best ? [best] : []), ...candidates].flatMap(({ box, number }) =>
      number === undefined ? [] : [{ text: String(number), colour: NEUTRAL, anchors: boxAnchors(box, pen).slice(1) }],
    );
    const names = shapes.map(({ type, anchors }): Label => ({
      text: type.replaceAll('_', ' '),
      colour: KIND_COLOURS[type],
      anchors,
    }));
    const placed = placeLabels(
      [...numbers, ...names],
      shapes.flatMap((shape) => shape.trace),
      target,
      pen,
    );
    drawn.push(...placed.map((label) => labelSvg(label, target, pen)));
  }
  return drawn;
}

function frameSvg([x1, y1, x2, y2]: Box, colour: string, widthPx: number, pen: Pen, dash?: readonly number[]): string {
  const corners = [
    [x1, y1],
    [x2, y1],
    [x2, y2],
    [x1, y2],
  ] as const;
  return cased(`${pathOf(corners)}Z`, colour, widthPx, pen.casingPx, dash ? { dash } : {});
}

function dimmed([x1, y1, x2, y2]: Box, { width, height }: Size): string {
  const path = `M0 0H${width}V${height}H0ZM${px(x1)} ${px(y1)}V${px(y2)}H${px(x2)}V${px(y1)}Z`;
  return `<path d="${path}" fill="${CASING}" fill-opacity="0.55" fill-rule="evenodd"/>`;
}

function scaledTo(target: Size, drawing: Drawing): Drawing {
  const sx = target.width / drawing.space.width;
  const sy = target.height / drawing.space.height;
  const box = ([x1, y1, x2, y2]: Box): [number, number, number, number] => [x1 * sx, y1 * sy, x2 * sx, y2 * sy];
  const point = ([x, y]: Point): Point => [x * sx, y * sy];
  return {
    space: target,
    elements: drawing.elements.map((element) => mapElement(element, { box, segment: box, point })),
    ...(drawing.candidates && { candidates: drawing.candidates.map(box) }),
    ...(drawing.best && { best: { ...drawing.best, box: box(drawing.best.box) } }),
  };
}
