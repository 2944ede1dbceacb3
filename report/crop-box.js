// A crop that a person moves and resizes: whole pixels, inside the photo, of its target's ratio where that has one. For
// every page on which crops are moved; a module without imports, so that a page can hold it whole (src/report/page.ts).

/** @typedef {readonly [x1: number, y1: number, x2: number, y2: number]} Box Pixels of the photo; x2 and y2 exclusive. */
/** @typedef {{ readonly width: number, readonly height: number }} Size */
/**
 * What a crop is held to.
 * @typedef {object} Limits
 * @property {Size} photo
 * @property {Size} [aspect] Whole numbers without a common factor; without it the shape is free.
 */
/** @typedef {'n' | 'e' | 's' | 'w' | 'ne' | 'se' | 'sw' | 'nw'} Handle The edge or corner that is held, by its point of the compass. */

/** A smaller crop can hardly be seen or held. */
const LEAST_SIDE_PX = 16;

/** Ratios in terms this small are met exactly, as by the crops of `cropRectangle` (src/crop/crop-rectangle.ts). */
const PLAIN_TERM = 64;

/**
 * The ratio of a target as results name it: `4:5`, or the output size `1080x1350`. Undefined for a free one.
 * @param {{ readonly aspect?: string | undefined, readonly size?: string | undefined }} target
 * @returns {Size | undefined}
 */
export function aspectOf({ aspect, size }) {
  const text = size ?? aspect;
  if (text === undefined) return undefined;
  const [width = 1, height = 1] = text.split(/[x:]/).map(Number);
  const divisor = greatestCommonDivisor(width, height);
  return { width: width / divisor, height: height / divisor };
}

/**
 * The crop elsewhere, as far as the photo reaches.
 * @param {Box} box
 * @param {number} dx
 * @param {number} dy
 * @param {Limits} limits
 * @returns {Box}
 */
export function moved([x1, y1, x2, y2], dx, dy, { photo }) {
  return placed(x1 + dx, y1 + dy, { width: x2 - x1, height: y2 - y1 }, photo);
}

/**
 * The crop with an edge or a corner pulled by this much, the opposite one staying. Of a fixed ratio an edge takes the two
 * beside it along, evenly while the photo has room for that.
 * @param {Box} box
 * @param {Handle} handle
 * @param {number} dx
 * @param {number} dy
 * @param {Limits} limits
 * @returns {Box}
 */
export function resized(box, handle, dx, dy, limits) {
  const pull = {
    x: handle.includes('e') ? dx : handle.includes('w') ? -dx : 0,
    y: handle.includes('s') ? dy : handle.includes('n') ? -dy : 0,
  };
  return limits.aspect
    ? resizedInRatio(box, handle, pull, { photo: limits.photo, aspect: limits.aspect })
    : resizedFreely(box, handle, pull, limits.photo);
}

/**
 * The crop wider and higher by this much, its upper left corner staying while the photo has room. Of a fixed ratio the next
 * size that is at least as much larger or smaller.
 * @param {Box} box
 * @param {number} dWidth
 * @param {number} dHeight
 * @param {Limits} limits
 * @returns {Box}
 */
export function grown([x1, y1, x2, y2], dWidth, dHeight, { photo, aspect }) {
  const [width, height] = [x2 - x1, y2 - y1];
  if (!aspect) {
    const free = {
      width: clamp(width + dWidth, leastOf(photo), photo.width),
      height: clamp(height + dHeight, leastOf(photo), photo.height),
    };
    return placed(x1, y1, free, photo);
  }
  const d = dWidth + dHeight;
  const step = Math.max(1, stepOf(aspect, photo));
  const by = Math.sign(d) * Math.max(1, Math.round(Math.abs(d) / step)) * step;
  return placed(x1, y1, sizeNear(longSide({ width, height }, aspect) + by, aspect, photo, photo), photo);
}

/**
 * The largest crop there is, in the middle of the photo.
 * @param {Limits} limits
 * @returns {Box}
 */
export function largest({ photo, aspect }) {
  const size = aspect ? sizeNear(Infinity, aspect, photo, photo) : photo;
  return placed((photo.width - size.width) / 2, (photo.height - size.height) / 2, size, photo);
}

/**
 * A crop of about this size around a point, as far as the photo reaches.
 * @param {readonly [x: number, y: number]} centre
 * @param {Size} size Its ratio's to the pixel, where that is held to one.
 * @param {Limits} limits
 * @returns {Box}
 */
export function around([x, y], { width, height }, { photo, aspect }) {
  const size = aspect
    ? sizeNear(longSide({ width, height }, aspect), aspect, photo, photo)
    : { width: Math.min(width, photo.width), height: Math.min(height, photo.height) };
  return placed(x - size.width / 2, y - size.height / 2, size, photo);
}

/**
 * Lines at the thirds of a crop, each from one point to the other.
 * @param {Box} box
 * @returns {Box[]}
 */
export function thirdsOf([x1, y1, x2, y2]) {
  return [1 / 3, 2 / 3].flatMap((share) => {
    const [x, y] = [x1 + share * (x2 - x1), y1 + share * (y2 - y1)];
    return /** @type {Box[]} */ ([
      [x, y1, x, y2],
      [x1, y, x2, y],
    ]);
  });
}

/**
 * @param {Box} box
 * @param {Handle} handle
 * @param {{ readonly x: number, readonly y: number }} pull Outwards.
 * @param {Size} photo
 * @returns {Box}
 */
function resizedFreely([x1, y1, x2, y2], handle, pull, photo) {
  const least = leastOf(photo);
  /** @param {number} value */
  const whole = (value) => Math.round(value);
  return [
    handle.includes('w') ? clamp(whole(x1 - pull.x), 0, Math.max(0, x2 - least)) : x1,
    handle.includes('n') ? clamp(whole(y1 - pull.y), 0, Math.max(0, y2 - least)) : y1,
    handle.includes('e') ? clamp(whole(x2 + pull.x), Math.min(photo.width, x1 + least), photo.width) : x2,
    handle.includes('s') ? clamp(whole(y2 + pull.y), Math.min(photo.height, y1 + least), photo.height) : y2,
  ];
}

/**
 * @param {Box} box
 * @param {Handle} handle
 * @param {{ readonly x: number, readonly y: number }} pull Outwards.
 * @param {Required<Limits>} limits
 * @returns {Box}
 */
function resizedInRatio([x1, y1, x2, y2], handle, pull, { photo, aspect }) {
  const [width, height] = [x2 - x1, y2 - y1];
  const [isWest, isNorth] = [handle.includes('w'), handle.includes('n')];
  const isAcross = /[ew]/.test(handle);
  const isDown = /[ns]/.test(handle);
  const scale =
    isAcross && isDown
      ? // The point of the diagonal that is nearest to the pointer.
        ((width + pull.x) * width + (height + pull.y) * height) / (width ** 2 + height ** 2)
      : isAcross
        ? (width + pull.x) / width
        : (height + pull.y) / height;
  const room = {
    width: isAcross ? (isWest ? x2 : photo.width - x1) : photo.width,
    height: isDown ? (isNorth ? y2 : photo.height - y1) : photo.height,
  };
  const size = sizeNear(scale * longSide({ width, height }, aspect), aspect, photo, room);
  return placed(
    isWest ? x2 - size.width : isAcross ? x1 : x1 + (width - size.width) / 2,
    isNorth ? y2 - size.height : isDown ? y1 : y1 + (height - size.height) / 2,
    size,
    photo,
  );
}

/**
 * The size of a ratio whose longer side is nearest to this, no larger than the room and, where that allows it, no smaller
 * than a crop may be. Exact wherever the photo has room for an exact size of a plain ratio, otherwise to half a pixel.
 * @param {number} longPx
 * @param {Size} aspect
 * @param {Size} photo
 * @param {Size} room
 * @returns {Size}
 */
function sizeNear(longPx, aspect, photo, room) {
  const long = Math.max(aspect.width, aspect.height);
  const short = Math.min(aspect.width, aspect.height);
  const exactPx = stepOf(aspect, photo);
  const step = exactPx > 0 && aspect.width <= room.width && aspect.height <= room.height ? exactPx : 1;
  const mostPx = Math.min(room.width * (long / aspect.width), room.height * (long / aspect.height));
  const leastPx = (leastOf(photo) * long) / short;
  const most = Math.max(1, Math.floor(mostPx / step + 1e-9));
  const n = clamp(Math.round(longPx / step), Math.min(most, Math.ceil(leastPx / step - 1e-9)), most);
  const px = n * step;
  return {
    width: Math.max(1, Math.min(room.width, Math.round((px * aspect.width) / long))),
    height: Math.max(1, Math.min(room.height, Math.round((px * aspect.height) / long))),
  };
}

/**
 * By how much the longer side of exact sizes grows; 0 where sizes are not exact.
 * @param {Size} aspect
 * @param {Size} photo
 */
function stepOf({ width, height }, photo) {
  const isExact = Math.max(width, height) <= PLAIN_TERM && width <= photo.width && height <= photo.height;
  return isExact ? Math.max(width, height) : 0;
}

/**
 * @param {Size} size
 * @param {Size} aspect
 */
function longSide({ width, height }, aspect) {
  return aspect.width >= aspect.height ? width : height;
}

/** @param {Size} photo */
function leastOf({ width, height }) {
  return Math.min(LEAST_SIDE_PX, width, height);
}

/**
 * A box of this size with its upper left corner as near to the point as the photo allows.
 * @param {number} x
 * @param {number} y
 * @param {Size} size
 * @param {Size} photo
 * @returns {Box}
 */
function placed(x, y, { width, height }, photo) {
  const left = clamp(Math.round(x), 0, photo.width - width);
  const top = clamp(Math.round(y), 0, photo.height - height);
  return [left, top, left + width, top + height];
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function clamp(value, least, most) {
  return Math.max(least, Math.min(most, value));
}

/**
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
