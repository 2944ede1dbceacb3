import type { Size } from '../../src/base/geometry.js';
import { BOX_KINDS, isOneOf, type Element } from '../../src/base/schema.js';

/** Side of one map cell in frame pixels: a quarter of an image token. training/nano/heads.py reads the same. */
export const MAP_CELL_PX = 7;
/** Order of the maps. */
export const MAPS = [
  'saliency',
  'subject',
  'horizontal',
  'vertical',
  'diagonal',
  'curved',
  'triangle',
  'vanishing',
] as const;

export interface MeasuredPlane {
  readonly width: number;
  readonly height: number;
  /** 0..255 */
  readonly data: ArrayLike<number>;
}

/**
 * `MAPS.length` planes of frame / MAP_CELL_PX cells, 0..255: where saliency, the subject and each kind of line are. Without
 * a saliency map the subject is what is salient; with a mask of it, it is that and no box.
 */
export function denseMaps(
  frame: Size,
  elements: readonly Element[],
  saliency: MeasuredPlane | undefined,
  mask?: MeasuredPlane,
): Uint8Array {
  const columns = frame.width / MAP_CELL_PX;
  const rows = frame.height / MAP_CELL_PX;
  const out = new Uint8Array(MAPS.length * rows * columns);
  const plane = (name: (typeof MAPS)[number]): Uint8Array => {
    const at = MAPS.indexOf(name) * rows * columns;
    return out.subarray(at, at + rows * columns);
  };
  const stroke = (target: Uint8Array, [x1, y1, x2, y2]: readonly number[]): void => {
    const n = Math.ceil(Math.hypot(x2! - x1!, y2! - y1!) / 2) + 1;
    for (let i = 0; i <= n; i++) {
      const column = Math.min(columns - 1, Math.max(0, Math.floor((x1! + ((x2! - x1!) * i) / n) / MAP_CELL_PX)));
      const row = Math.min(rows - 1, Math.max(0, Math.floor((y1! + ((y2! - y1!) * i) / n) / MAP_CELL_PX)));
      target[row * columns + column] = 255;
    }
  };
  const strokes = (target: Uint8Array, points: readonly (readonly number[])[]): void => {
    for (let i = 1; i < points.length; i++) stroke(target, [...points[i - 1]!, ...points[i]!]);
  };

  for (const element of elements) {
    if ('box' in element && isOneOf(BOX_KINDS, element.type)) fillBox(plane('subject'), columns, rows, element.box);
    else if (element.type === 'horizontal') stroke(plane('horizontal'), element.line);
    else if (element.type === 'vertical') stroke(plane('vertical'), element.line);
    else if (element.type === 'diagonal') stroke(plane('diagonal'), element.line);
    else if (element.type === 'curved') strokes(plane('curved'), element.points);
    else if (element.type === 'triangle') strokes(plane('triangle'), [...element.points, element.points[0]]);
    else if (element.type === 'vanishing_point') for (const line of element.lines) stroke(plane('vanishing'), line);
  }
  if (mask) sampleInto(plane('subject'), columns, rows, mask);
  if (saliency) sampleInto(plane('saliency'), columns, rows, saliency);
  else plane('saliency').set(plane('subject'));
  return out;
}

/** Each cell's share that the box covers. */
function fillBox(target: Uint8Array, columns: number, rows: number, [x1, y1, x2, y2]: readonly number[]): void {
  const covered = (cell: number, from: number, to: number): number =>
    Math.max(0, Math.min(to, (cell + 1) * MAP_CELL_PX) - Math.max(from, cell * MAP_CELL_PX)) / MAP_CELL_PX;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const share = covered(column, x1!, x2!) * covered(row, y1!, y2!);
      target[row * columns + column] = Math.max(target[row * columns + column]!, Math.round(255 * share));
    }
  }
}

function sampleInto(target: Uint8Array, columns: number, rows: number, from: MeasuredPlane): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const x = Math.min(from.width - 1, Math.floor(((column + 0.5) * from.width) / columns));
      const y = Math.min(from.height - 1, Math.floor(((row + 0.5) * from.height) / rows));
      target[row * columns + column] = Math.round(from.data[y * from.width + x]!);
    }
  }
}
