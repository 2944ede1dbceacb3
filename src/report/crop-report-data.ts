import { defined } from '../base/defined.js';
import type { Box, Size } from '../base/geometry.js';
import { mapElement } from '../photo/element-map.js';
import { KIND_COLOURS } from '../photo/overlay/palette.js';
import { penFor } from '../photo/overlay/pen.js';
import { elementShape } from '../photo/overlay/shapes.js';
import { ELEMENT_KINDS, type CropResult, type Element, type ElementKind } from '../base/schema.js';
import type { Thumbnail } from './thumbnail.js';

/** Elements are drawn in a square of this many units; the page scales them. */
const DRAWING_SIDE = 800;

/** A crop that can be picked: a candidate, or the photo as it is. In oriented photo pixels. */
interface CropOption {
  readonly box: Box;
  /** 0..1; null for the photo as it is where no candidate is that. */
  readonly modelScore: number | null;
  readonly why: string;
}

/** The crops of one photo for one target. */
interface ReportCrop {
  readonly aspect?: string;
  /** `1080x1350` */
  readonly size?: string;
  /** For a choice to be made as the crop was. */
  readonly fit?: 'pad' | 'blur';
  readonly background?: string;
  readonly enlarge?: boolean;
  readonly options: readonly CropOption[];
  /** Index into `options`. */
  readonly best: number;
  readonly why: string;
  readonly isKept: boolean;
  /** Whether the options' scores compare anything: not those of a person's choice, nor of a model that gives one box. */
  readonly isScored: boolean;
  readonly timingsMs: Readonly<Record<string, number>>;
}

interface ReportPhoto {
  readonly path: string;
  readonly width: number;
  readonly height: number;
  /** Degrees clockwise it was straightened by, if it was; everything here is of the straight photo then. */
  readonly straighten?: number;
  /** Data URI. */
  readonly thumbnail?: string;
  /** SVG made of numbers alone, in a view box of `drawing` units. */
  readonly elements: readonly { readonly kind: ElementKind; readonly guides: string; readonly strokes: string }[];
  readonly drawing: Size;
  readonly crops: readonly ReportCrop[];
}

export interface Failure {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** What the scripts of the page read (report/crops). */
export interface CropReportData {
  /** Where the run stood, absolute: its photos are called as seen from there. */
  readonly folder: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly engine: string;
  readonly model: string | null;
  /** Photos the run was to crop; more than there are here if it was interrupted. */
  readonly nPlanned: number;
  readonly isDryRun: boolean;
  /** Those named in some photo, in canonical order. */
  readonly kinds: readonly { readonly name: ElementKind; readonly colour: string }[];
  readonly photos: readonly ReportPhoto[];
  readonly failures: readonly Failure[];
  /** Ratios and sizes that no crop of a photo meets. */
  readonly refused: readonly Failure[];
}

/** @param results of one photo, one for each target. */
export function reportPhoto(path: string, results: readonly CropResult[], thumbnail?: Thumbnail): ReportPhoto {
  const { photo, analysis, straighten } = results[0]!;
  return {
    path,
    width: photo.widthPx,
    height: photo.heightPx,
    ...(straighten?.applied && { straighten: straighten.angleDeg }),
    ...(thumbnail ? { thumbnail: thumbnail.uri } : {}),
    ...drawElements(analysis, { width: photo.widthPx, height: photo.heightPx }),
    crops: results.map(reportCrop),
  };
}

export function kindsOf(photos: readonly ReportPhoto[]): CropReportData['kinds'] {
  const present = new Set(photos.flatMap(({ elements }) => elements.map(({ kind }) => kind)));
  return ELEMENT_KINDS.filter((kind) => present.has(kind)).map((name) => ({ name, colour: KIND_COLOURS[name] }));
}

function reportCrop({
  target,
  photo,
  candidates,
  best,
  why,
  crop,
  verdict,
  confidence,
  timingsMs,
}: CropResult): ReportCrop {
  const whole: Box = [0, 0, photo.widthPx, photo.heightPx];
  const options: CropOption[] = candidates.map(({ box, modelScore, why: reason }) => ({
    box,
    modelScore,
    why: reason,
  }));
  const isFree = target.aspect === undefined && target.size === undefined;
  const wholeAt = options.findIndex(({ box }) => box.every((edge, i) => edge === whole[i]));
  if (isFree && wholeAt < 0) options.push({ box: whole, modelScore: null, why: 'The photo as it is.' });
  const chosen = [crop.x, crop.y, crop.x + crop.width, crop.y + crop.height];
  const chosenAt = options.findIndex(({ box }) => box.every((edge, i) => edge === chosen[i]));
  return {
    ...defined({
      aspect: target.aspect,
      fit: target.fit,
      background: target.background,
      enlarge: target.enlarge,
    }),
    ...(target.size ? { size: `${target.size.widthPx}x${target.size.heightPx}` } : {}),
    options,
    best: chosenAt < 0 ? best : chosenAt,
    why,
    isKept: verdict === 'keep',
    isScored: confidence !== undefined,
    timingsMs,
  };
}

/** @param elements in pixels of a photo of that size */
export function drawElements(
  elements: readonly Element[],
  { width, height }: Size,
): Pick<ReportPhoto, 'elements' | 'drawing'> {
  const scale = DRAWING_SIDE / Math.max(width, height);
  const drawing = { width: width * scale, height: height * scale };
  return { elements: elements.map((element) => drawnElement(element, scale, drawing)), drawing };
}

function drawnElement(element: Element, scale: number, drawing: Size): ReportPhoto['elements'][number] {
  const scaled = mapElement(element, {
    box: ([x1, y1, x2, y2]) => [x1 * scale, y1 * scale, x2 * scale, y2 * scale],
    segment: ([x1, y1, x2, y2]) => [x1 * scale, y1 * scale, x2 * scale, y2 * scale],
    point: ([x, y]) => [x * scale, y * scale],
  });
  const { guides, strokes } = elementShape(scaled, drawing, penFor(drawing));
  return { kind: element.type, guides, strokes };
}
