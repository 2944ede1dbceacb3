import type { CropResult } from '../../base/schema.js';
import type { Size } from '../../base/geometry.js';
import { turnOf, straightPoint, radians, type Turn } from '../../photo/turn/turn.js';
import { aboutPoint, after, inverse, type Similarity } from '../../registration/similarity.js';

/** The turn by which a photo was straightened for its crop, if it was. */
export function turnOfResult({ straighten }: Pick<CropResult, 'straighten'>, upright: Size): Turn | undefined {
  return straighten?.applied ? turnOf(upright, straighten.angleDeg) : undefined;
}

/** From the upright photo to the straight one. */
function straightening(turn: Turn): Similarity {
  const angle = radians(turn.angleDeg);
  return aboutPoint([0, 0], straightPoint([0, 0], turn), Math.cos(angle), Math.sin(angle));
}

/** What leads from one upright photo to another, for the two straightened. */
export function betweenStraight(similarity: Similarity, one: Turn | undefined, other: Turn | undefined): Similarity {
  const from = one ? after(inverse(straightening(one)), similarity) : similarity;
  return other ? after(from, straightening(other)) : from;
}

/** Pixels of the straight photo as those of the upright one. */
export function backToUpright(turn: Turn): Similarity {
  return inverse(straightening(turn));
}
