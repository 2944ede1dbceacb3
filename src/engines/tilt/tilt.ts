export { TILT_LONG_SIDE_PX } from './straight-edges.js';
import type { Raster } from '../types.js';
import { levelLines, type LevelLine } from './horizon.js';
import { straightEdges } from './straight-edges.js';
import { findVerticals, type Verticals } from './verticals.js';

/** How a photo is turned against the scene in it, and how sure that is. */
export interface Tilt {
  /** Clockwise turn that makes the scene upright, degrees. */
  readonly angleDeg: number;
  /** 0..1 */
  readonly confidence: number;
  readonly from: 'horizon' | 'verticals';
  /** How far upright edges at the left and right border lean apart (negative: together) at their upper ends, degrees. */
  readonly keystoneDeg?: number;
}

/** Cameras are held by hand, not laid down: what asks for more is another thing than the horizon. */
const MAX_TILT_DEG = 10;

/** What one kind of edges says; ramps below were set by eye on photos that it would have turned, for none to be turned wrongly. */
interface Witness {
  readonly angleDeg: number;
  readonly confidence: number;
}

/** Degrees by which two witnesses may differ and mean the same. */
const SAME_DEG = 0.8;

/** Undefined where nothing says which way is up. */
export function findTilt(raster: Raster): Tilt | undefined {
  const { grey, edges } = straightEdges(raster);
  const lines = levelLines(edges, grey);
  const verticals = findVerticals(edges, { width: grey.width, height: grey.height });
  const upright = verticals && ofVerticals(verticals, lines);
  const level = ofLines(lines);
  const first = upright && (!level || upright.confidence >= level.confidence) ? upright : level;
  if (!first) return undefined;
  const { angleDeg, confidence } = together(first, first === upright ? level : upright);
  const isSeen = verticals && upright && upright.confidence >= SEEN_FROM;
  return {
    angleDeg: round(angleDeg, 2),
    confidence: round(confidence, 3),
    from: first === upright ? 'verticals' : 'horizon',
    ...(isSeen && { keystoneDeg: round(degrees(verticals.keystone), 1) }),
  };
}

/** Upright edges say nothing of keystone either where they are less sure. */
const SEEN_FROM = 0.3;

/** Two that agree are surer than each of them; where they do not, the second takes from the first. */
function together(first: Witness, second: Witness | undefined): Witness {
  if (!second) return first;
  const doubt = 1 - second.confidence;
  if (Math.abs(first.angleDeg - second.angleDeg) >= SAME_DEG) {
    return { ...first, confidence: first.confidence * doubt };
  }
  const total = first.confidence + second.confidence;
  const share = total > 0 ? first.confidence / total : 1;
  return {
    angleDeg: share * first.angleDeg + (1 - share) * second.angleDeg,
    confidence: 1 - (1 - first.confidence) * doubt,
  };
}

/** Long smooth edges in many columns that agree; more of them for a larger turn, less where level lines ask for the same. */
function ofVerticals(
  { turn, support, share, nColumns, error, keystone, rival }: Verticals,
  lines: readonly LevelLine[],
): Witness {
  const angleDeg = degrees(turn);
  const parallel = lines
    .filter((line) => Math.abs(degrees(line.turn) - angleDeg) < 0.5)
    .reduce((sum, { covered }) => sum + covered, 0);
  const corroborated = ramp(parallel, 0.3, 0.9);
  const steep = ramp(Math.abs(angleDeg), 1.5, 3.5) * (1 - corroborated);
  return {
    angleDeg,
    confidence:
      ramp(support, 0.8 + 0.6 * steep, 2.4 + 1.2 * steep) *
      ramp(share, 0.35 + 0.1 * steep, 0.6 + 0.1 * steep) *
      ramp(nColumns, 2, 5) *
      ramp(-degrees(error), -0.4, -0.1) *
      ramp(-Math.abs(angleDeg), -MAX_TILT_DEG - 0.5, -MAX_TILT_DEG + 1) *
      ramp(-Math.abs(degrees(keystone)), -30 - 15 * corroborated, -12 - 23 * corroborated) *
      (1 - levelAlready(angleDeg, lines)) *
      (1 - (rival ? ramp(rival.votes, 0.75, 0.95) * ramp(Math.abs(degrees(rival.turn - turn)), 0.3, 0.8) : 0)),
  };
}

/** A long smooth line between unlike bands, away from the photo's border, that no other line contradicts. */
function ofLines(lines: readonly LevelLine[]): Witness | undefined {
  let best: Witness | undefined;
  for (const line of lines.slice(0, 8)) {
    if (Math.abs(line.height) > 0.44) continue;
    const angleDeg = degrees(line.turn);
    // A slanted shore or wall looks like a horizon; a horizon that is far from level is one only if it goes all the way across.
    const steep = ramp(Math.abs(angleDeg), 1, 3);
    const across = ramp(line.covered, 0.35 + 0.1 * steep, 0.7) * (1 - steep * (1 - ramp(line.span, 0.8, 0.92)));
    const confidence =
      across *
      ramp(-Math.abs(line.height), -0.45, -0.25) *
      ramp(-line.roughnessPx, -0.9, -0.45) *
      ramp(line.difference, 6, 20) *
      ramp(-Math.abs(angleDeg), -MAX_TILT_DEG - 0.5, -MAX_TILT_DEG + 1) *
      (1 - levelAlready(angleDeg, lines)) *
      (1 - contradicted(line, lines));
    if (!best || confidence > best.confidence) best = { angleDeg, confidence };
  }
  return best;
}

/** Long lines that are level as the photo stands speak against turning it. */
function levelAlready(angleDeg: number, lines: readonly LevelLine[]): number {
  if (Math.abs(angleDeg) < 0.6) return 0;
  const level = lines
    .filter(({ turn }) => Math.abs(degrees(turn)) < 0.3)
    .reduce((sum, { covered }) => sum + covered, 0);
  const turned = lines
    .filter(({ turn }) => Math.abs(degrees(turn) - angleDeg) < 0.4)
    .reduce((sum, { covered }) => sum + covered, 0);
  return ramp(level / (level + turned + 0.15), 0.4, 0.8);
}

/** Other long lines of other slopes: roofs, shores and walls in perspective, of which none is the horizon. */
function contradicted(line: LevelLine, lines: readonly LevelLine[]): number {
  const others = lines
    .filter(({ turn }) => Math.abs(degrees(turn - line.turn)) > 1)
    .reduce((sum, { covered }) => sum + Math.max(0, covered - 0.1), 0);
  return ramp(others / line.covered, 0.4, 1.2);
}

/** 0 up to `none`, 1 from `full` on. */
function ramp(value: number, none: number, full: number): number {
  return Math.max(0, Math.min(1, (value - none) / (full - none)));
}

function degrees(radians: number): number {
  return (radians * 180) / Math.PI;
}

function round(value: number, nDigits: number): number {
  return Number(value.toFixed(nDigits));
}
