// A crop in the hand: moved, resized, kept inside its photo and to its ratio. Whole pixels of the upright photo.

/** `[x1, y1, x2, y2]`, x2 and y2 exclusive. */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number];

export interface Extent {
  readonly width: number;
  readonly height: number;
}

/** Which edges a handle moves: -1 the left or upper one, 1 the right or lower one, 0 none. */
export interface Handle {
  readonly x: -1 | 0 | 1;
  readonly y: -1 | 0 | 1;
}

export const HANDLES: readonly Handle[] = [
  { x: -1, y: -1 },
  { x: 0, y: -1 },
  { x: 1, y: -1 },
  { x: 1, y: 0 },
  { x: 1, y: 1 },
  { x: 0, y: 1 },
  { x: -1, y: 1 },
  { x: -1, y: 0 },
];

/** Smaller ones are slips of the hand. */
export const LEAST_SIDE = 16;

export function widthOf([x1, , x2]: Box): number {
  return x2 - x1;
}

export function heightOf([, y1, , y2]: Box): number {
  return y2 - y1;
}

export function moved(box: Box, dx: number, dy: number, photo: Extent): Box {
  const [x1, y1] = box;
  const x = clamp(Math.round(x1 + dx), 0, photo.width - widthOf(box));
  const y = clamp(Math.round(y1 + dy), 0, photo.height - heightOf(box));
  return [x, y, x + widthOf(box), y + heightOf(box)];
}

/**
 * The box after a handle was dragged by (dx, dy). With a ratio the opposite corner stays, or for an edge its middle, and the
 * larger of the two ways the pointer went decides.
 */
export function resized(box: Box, handle: Handle, dx: number, dy: number, photo: Extent, ratio?: number): Box {
  if (ratio === undefined) return freely(box, handle, dx, dy, photo);
  const wide = widthOf(box) + handle.x * dx;
  const high = heightOf(box) + handle.y * dy;
  const width = handle.y === 0 ? wide : handle.x === 0 ? high * ratio : Math.max(wide, high * ratio);
  return anchored(box, handle, width, photo, ratio);
}

/** The same crop, larger or smaller around its middle. */
export function scaled(box: Box, by: number, photo: Extent, ratio?: number): Box {
  const centre = { x: 0, y: 0 } as const;
  return anchored(box, centre, widthOf(box) + by, photo, ratio ?? widthOf(box) / heightOf(box));
}

/** The largest box of a ratio inside another's photo that lies around the other's middle; as large as the other where it can be. */
export function shaped(box: Box, ratio: number | undefined, photo: Extent): Box {
  if (ratio === undefined) return box;
  const area = widthOf(box) * heightOf(box);
  return anchored(box, { x: 0, y: 0 }, Math.sqrt(area * ratio), photo, ratio);
}

/** Where a crop begins that nobody has made yet. */
export function largest(ratio: number | undefined, photo: Extent): Box {
  const whole: Box = [0, 0, photo.width, photo.height];
  return ratio === undefined ? whole : anchored(whole, { x: 0, y: 0 }, photo.width, photo, ratio);
}

function freely([x1, y1, x2, y2]: Box, handle: Handle, dx: number, dy: number, photo: Extent): Box {
  return [
    handle.x < 0 ? clamp(Math.round(x1 + dx), 0, x2 - least(photo.width)) : x1,
    handle.y < 0 ? clamp(Math.round(y1 + dy), 0, y2 - least(photo.height)) : y1,
    handle.x > 0 ? clamp(Math.round(x2 + dx), x1 + least(photo.width), photo.width) : x2,
    handle.y > 0 ? clamp(Math.round(y2 + dy), y1 + least(photo.height), photo.height) : y2,
  ];
}

/** A box of this width and ratio, held where the handle is not, as large as the photo lets it be. */
function anchored(box: Box, handle: Handle, width: number, photo: Extent, ratio: number): Box {
  const [x1, y1, x2, y2] = box;
  const roomX = handle.x < 0 ? x2 : handle.x > 0 ? photo.width - x1 : photo.width;
  const roomY = handle.y < 0 ? y2 : handle.y > 0 ? photo.height - y1 : photo.height;
  const most = Math.min(roomX, roomY * ratio);
  const fewest = Math.min(most, Math.max(least(photo.width), least(photo.height) * ratio));
  const wide = Math.max(1, Math.round(clamp(width, fewest, most)));
  const high = clamp(Math.round(wide / ratio), 1, Math.floor(roomY));
  const x = startOf(handle.x, x1, x2, wide, photo.width);
  const y = startOf(handle.y, y1, y2, high, photo.height);
  return [x, y, x + wide, y + high];
}

function startOf(side: -1 | 0 | 1, from: number, to: number, length: number, whole: number): number {
  const start = side < 0 ? to - length : side > 0 ? from : Math.round((from + to - length) / 2);
  return clamp(start, 0, whole - length);
}

function least(whole: number): number {
  return Math.min(LEAST_SIDE, whole);
}

function clamp(value: number, fewest: number, most: number): number {
  return Math.max(fewest, Math.min(most, value));
}
