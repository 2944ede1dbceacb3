import type { PlainFunction } from '../../engines/types.js';
import { FramewrightError } from '../../base/errors.js';
import type { Box, Point, Size } from '../../base/geometry.js';
import { parseAspect } from '../../crop/aspect.js';
import type { Element } from '../../base/schema.js';
import type { LabelledElement } from '../datasets/types.js';
import { overlapScores } from './floors.js';
import { loadRaster } from './raster.js';
import type { CropOptions, Method, PresentPhoto } from './types.js';

export interface EngineMethodOptions {
  readonly name: string;
  /** Everything that decides the engine's answer. */
  readonly key: string;
  readonly engine: PlainFunction;
  /** Whether the engine names composition elements. */
  readonly namesElements?: boolean;
  /** Long side of the raster it sees. Default 1024. */
  readonly maxSide?: number;
}

/** An engine that needs no model, as a method: it sees the photo's pixels, its answer is scaled to label space. */
export function engineMethod({ name, key, engine, namesElements, maxSide = 1024 }: EngineMethodOptions): Method {
  const propose = async (photo: PresentPhoto, { signal, aspect }: CropOptions): Promise<Scaled> => {
    if (photo.path === undefined)
      throw new FramewrightError('INPUT_NOT_FOUND', `${photo.id} is not in the data set's folder`);
    const raster = await loadRaster(photo.path, maxSide, signal ? { signal } : {});
    const { candidates, best, elements } = await engine(raster, {
      count: 1,
      ...(aspect && { aspect: parseAspect(aspect) }),
    });
    const scale: Point = [photo.size.width / raster.size.width, photo.size.height / raster.size.height];
    const ordered = [candidates[best]!, ...candidates.filter((_, i) => i !== best)];
    return {
      boxes: ordered.map(({ box }) => scaleBox(box, scale)),
      elements: elements.map((element) => scaleElement(element, scale)),
    };
  };
  const method: Method = {
    name,
    key: `${key} maxSide=${maxSide}`,
    needsPixels: true,
    crop: async (photo, options) => (await propose(photo, options)).boxes,
    rank: async (photo, boxes, options) => overlapScores((await propose(photo, options)).boxes[0]!, boxes),
  };
  if (!namesElements) return method;
  return { ...method, analyse: async (photo, options) => (await propose(photo, options)).elements };
}

interface Scaled {
  readonly boxes: readonly Box[];
  readonly elements: readonly LabelledElement[];
}

/** From pixels of one size of a photo to another, unrounded. */
export function rescaleBox(box: Box, from: Size, to: Size): Box {
  return scaleBox(box, [to.width / from.width, to.height / from.height]);
}

/** From pixels of one size of a photo to another, unrounded. */
export function rescaleElement(element: Element, from: Size, to: Size): LabelledElement {
  return scaleElement(element, [to.width / from.width, to.height / from.height]);
}

function scaleBox([x1, y1, x2, y2]: Box, [sx, sy]: Point): Box {
  return [x1 * sx, y1 * sy, x2 * sx, y2 * sy];
}

function scaleElement(element: Element, scale: Point): LabelledElement {
  const scalePoint = ([x, y]: Point): Point => [x * scale[0], y * scale[1]];
  if ('box' in element) return { type: element.type, box: scaleBox(element.box, scale) };
  if ('line' in element) return { type: element.type, line: scaleBox(element.line, scale) };
  if ('lines' in element) return { type: element.type, lines: element.lines.map((line) => scaleBox(line, scale)) };
  return { type: element.type, points: element.points.map(scalePoint) };
}
