import { boxArea, boxOfSize, clamp, type Aspect, type Box, type Size } from '../../base/geometry.js';
import type { CropRect } from '../../base/schema.js';
import { cropRectangle } from '../crop-rectangle.js';

export interface CarriedLimits {
  readonly photo: Size;
  readonly aspect?: Aspect;
  /** Not to be cut. */
  readonly keep?: readonly Box[];
  /** Least area as a share of the photo's. Default 0. */
  readonly minSize?: number;
  readonly name?: string;
}

/**
 * The rectangle of whole pixels inside the photo that is nearest to where a crop taken over from another photo comes to lie:
 * moved where that reaches outside, and made smaller where it has no room.
 *
 * @param box need be neither whole pixels nor inside
 * @throws FramewrightError ASPECT_IMPOSSIBLE
 */
export function carriedRectangle([x1, y1, x2, y2]: Box, { photo, ...limits }: CarriedLimits): CropRect {
  const width = Math.max(1, Math.round(x2 - x1));
  const height = Math.max(1, Math.round(y2 - y1));
  const [left, top] = [Math.round((x1 + x2 - width) / 2), Math.round((y1 + y2 - height) / 2)];
  if (limits.aspect) return cropRectangle({ photo, ...limits, box: [left, top, left + width, top + height] });
  const size = { width: Math.min(width, photo.width), height: Math.min(height, photo.height) };
  const x = clamp(left, 0, photo.width - size.width);
  const y = clamp(top, 0, photo.height - size.height);
  return cropRectangle({ photo, ...limits, box: [x, y, x + size.width, y + size.height] });
}

/** How far a crop is from where it was to be: its edge that is furthest off, as a share of the side it lies across. */
export function farthestEdge({ x, y, width, height }: CropRect, [x1, y1, x2, y2]: Box): number {
  const across = Math.max(Math.abs(x - x1), Math.abs(x + width - x2)) / (x2 - x1);
  const down = Math.max(Math.abs(y - y1), Math.abs(y + height - y2)) / (y2 - y1);
  return Math.max(across, down);
}

/** The part of the photo, in whole pixels, that lies in all of these; undefined where there is none. */
export function commonPart(photo: Size, boxes: readonly Box[]): Box | undefined {
  const part = boxes.reduce(
    (a, b): Box => [
      Math.max(a[0], Math.ceil(b[0] - EDGE_PX)),
      Math.max(a[1], Math.ceil(b[1] - EDGE_PX)),
      Math.min(a[2], Math.floor(b[2] + EDGE_PX)),
      Math.min(a[3], Math.floor(b[3] + EDGE_PX)),
    ],
    boxOfSize(photo),
  );
  return part[2] > part[0] && part[3] > part[1] && boxArea(part) > 0 ? part : undefined;
}

/** Photos are not laid over each other more exactly than to this: one that was not moved loses no rim of pixels. */
const EDGE_PX = 0.5;
