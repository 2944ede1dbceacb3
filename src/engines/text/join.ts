import { unionOf, type Box } from '../../base/geometry.js';

/** A line as one plane shows it, in raster pixels. */
export interface Find {
  readonly box: Box;
  readonly slope: number;
  /** Of its larger letters. */
  readonly heightPx: number;
  readonly confidence: number;
}

/** Heights of two finds of one line differ by less. */
const HEIGHT_RATIO = 2;
/** Share of the lower one's height that both are in, and the way between them in heights. */
const BESIDE = 0.6;
const MOST_GAP = 1;

/** One find for each line: planes and polarities find the same line, and a space breaks one in two. */
export function joined(finds: readonly Find[]): Find[] {
  let lines = finds.toSorted((a, b) => b.confidence - a.confidence);
  for (let i = 0; i < lines.length; i++) {
    for (;;) {
      const line = lines[i]!;
      const others = lines.filter((other, j) => j > i && areOneLine(line, other));
      if (others.length === 0) break;
      const box = unionOf([line.box, ...others.map((other) => other.box)])!;
      lines = lines.flatMap((other, j) => (j === i ? [{ ...line, box }] : others.includes(other) ? [] : [other]));
    }
  }
  return lines;
}

function areOneLine(a: Find, b: Find): boolean {
  const [low, high] = [a.heightPx, b.heightPx].sort((x, y) => x - y) as [number, number];
  const beside = Math.min(a.box[3], b.box[3]) - Math.max(a.box[1], b.box[1]);
  const lower = Math.min(a.box[3] - a.box[1], b.box[3] - b.box[1]);
  const gap = Math.max(a.box[0], b.box[0]) - Math.min(a.box[2], b.box[2]);
  // What lies within another find is a part of it, be it the gaps between its letters.
  const isWithin = gap < 0 && beside >= 0.9 * lower;
  return isWithin || (high <= HEIGHT_RATIO * low && beside >= BESIDE * lower && gap <= MOST_GAP * high);
}
