import {
  boxArea,
  boxCentre,
  clamp,
  clipped,
  contains,
  unionOf,
  type Aspect,
  type Box,
  type Size,
} from '../base/geometry.js';
import type { Target } from './target.js';

/** What is to stay in a crop, in oriented photo pixels. */
export interface ToKeep {
  /** Rectangles asked for: never cut. */
  readonly asked: readonly Box[];
  /** What is around a focus: never cut, and it has its room already. */
  readonly focus?: Box;
  /** Heads that were found: none is cut that need not be. */
  readonly heads: readonly Box[];
}

/** One way to keep it. */
export interface Kept {
  /** No crop cuts these. */
  readonly boxes: readonly Box[];
  /** What had to be given up, to follow the photo's name. */
  readonly note?: string;
}

/**
 * Room around a head, as shares of the head: above it, since a head at the edge looks cut off; below it the shoulders, since
 * an edge across the neck does too.
 */
const AROUND_HEAD = { above: 0.5, beside: 0.5, below: 0.75 };
/** The same around a rectangle asked for, of its longer side. */
const AROUND_ASKED = 0.1;
/** Shares of that room, tried one after the other: what just fits is still kept, without any. */
const ROOM = [1, 0.5, 0.25, 0] as const;

/**
 * The ways to keep it in crops for a target, the best first: with room around, with less, with none; and where the heads are
 * too far apart for any crop of the ratio, as many of them as the largest crop takes whole.
 */
export function* waysToKeep(wanted: ToKeep, { aspect }: Target, photo: Size): Generator<Kept, void, undefined> {
  yield* withRoom(wanted, photo);
  if (!aspect || wanted.heads.length === 0) return;
  const fixed = wanted.focus ? [...wanted.asked, wanted.focus] : wanted.asked;
  const heads = headsTogether(wanted.heads, largestOf(aspect, photo), fixed, photo);
  const nAll = wanted.heads.length;
  const note =
    nAll === 1
      ? 'has a head larger than any crop of this ratio, which is cut as little as can be'
      : `has ${nAll} heads further apart than any crop of this ratio is wide or high: ${heads.length} ${heads.length === 1 ? 'is' : 'are'} kept whole`;
  for (const kept of withRoom({ ...wanted, heads }, photo)) yield { ...kept, note };
}

/** With all of the room that is wanted around it. */
export function bestWayToKeep(wanted: ToKeep, photo: Size): Kept {
  return { boxes: keptWithRoom(wanted, ROOM[0], photo) };
}

function* withRoom(wanted: ToKeep, photo: Size): Generator<Kept, void, undefined> {
  const hasRoom = wanted.asked.length + wanted.heads.length > 0;
  for (const share of hasRoom ? ROOM : [0]) yield { boxes: keptWithRoom(wanted, share, photo) };
}

function keptWithRoom({ asked, focus, heads }: ToKeep, share: number, photo: Size): Box[] {
  return [
    ...asked.map((box) => askedWithRoom(box, share, photo)),
    ...heads.map((box) => headWithRoom(box, share, photo)),
    ...(focus ? [focus] : []),
  ];
}

function askedWithRoom(box: Box, share: number, photo: Size): Box {
  const room = Math.round(share * AROUND_ASKED * Math.max(box[2] - box[0], box[3] - box[1]));
  return grown(box, { above: room, beside: room, below: room }, photo);
}

function headWithRoom(box: Box, share: number, photo: Size): Box {
  const [width, height] = [box[2] - box[0], box[3] - box[1]];
  const { above, beside, below } = AROUND_HEAD;
  const room = { above: share * above * height, beside: share * beside * width, below: share * below * height };
  return grown(box, room, photo);
}

function grown(
  [x1, y1, x2, y2]: Box,
  { above, beside, below }: { readonly above: number; readonly beside: number; readonly below: number },
  photo: Size,
): Box {
  const box: Box = [Math.floor(x1 - beside), Math.floor(y1 - above), Math.ceil(x2 + beside), Math.ceil(y2 + below)];
  return clipped(box, photo) ?? [x1, y1, x2, y2];
}

function largestOf({ width, height }: Aspect, photo: Size): Size {
  const scale = Math.min(photo.width / width, photo.height / height);
  return { width: Math.floor(scale * width), height: Math.floor(scale * height) };
}

/**
 * The heads that a window of this size holds whole where it holds most of them by area and cuts least through others; of one
 * head that is larger than the window, the part inside.
 *
 * @param fixed what the window must hold besides
 */
function headsTogether(heads: readonly Box[], size: Size, fixed: readonly Box[], photo: Size): Box[] {
  const [best] = windowsAround(heads, size, fixed, photo).sort((a, b) => worthOf(b, heads) - worthOf(a, heads));
  if (!best) return [];
  const whole = heads.filter((head) => contains(best, head));
  if (whole.length > 0) return whole;
  const [largest] = heads.map((head) => overlapOf(best, head)).sort((a, b) => areaOf(b) - areaOf(a));
  return largest ? [largest] : [];
}

/** Where a window begins or ends with a head, or has one in its middle: the best lie among these. */
function windowsAround(heads: readonly Box[], { width, height }: Size, fixed: readonly Box[], photo: Size): Box[] {
  const held = unionOf(fixed);
  const starts = (side: 0 | 1, length: number, limit: number): number[] => {
    const first = Math.max(0, (held?.[side + 2] ?? 0) - length);
    const last = Math.min(limit - length, held?.[side] ?? limit);
    if (first > last) return [];
    const wanted = heads.flatMap((head) => [
      head[side],
      head[side + 2]! - length,
      Math.round(boxCentre(head)[side] - length / 2),
    ]);
    return [...new Set(wanted.map((start) => clamp(start, first, last)))];
  };
  const tops = starts(1, height, photo.height);
  return starts(0, width, photo.width).flatMap((x) => tops.map((y): Box => [x, y, x + width, y + height]));
}

/** A head held counts with its area; one that is cut is worse than one left out. */
function worthOf(window: Box, heads: readonly Box[]): number {
  let worth = 0;
  for (const head of heads) {
    const share = areaOf(overlapOf(window, head)) / boxArea(head);
    worth += boxArea(head) * (share === 1 ? 1 : -0.5 * Math.min(share, 1 - share));
  }
  return worth;
}

function overlapOf(a: Box, b: Box): Box | undefined {
  const box: Box = [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])];
  return box[0] < box[2] && box[1] < box[3] ? box : undefined;
}

function areaOf(box: Box | undefined): number {
  return box ? boxArea(box) : 0;
}
