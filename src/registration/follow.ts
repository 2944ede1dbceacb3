import { clipped, type Box } from '../base/geometry.js';
import type { Pyramid } from './grey-picture.js';
import { correlation, refine, type Alignment } from './refine.js';
import { after, IDENTITY, scaleOf, type Similarity } from './similarity.js';

/** As alike as this where the whole photos lie over each other, what is in the box has stayed where it was. */
const STILL_LIKENESS = 0.75;
/** From here on it is found again. */
const FOUND_LIKENESS = 0.7;
/** So much more alike than where it was, or it has not moved but changed. */
const LEAST_GAIN = 0.15;
/** Looked for so far around, as a share of the longer side. */
const REACH = 0.3;
/** Its size may change by as much. */
const MOST_SCALE = 1.2;
/** Room around the box, as a share of its sides, for its outline to tell where it is. */
const AROUND = 0.1;
/** Pixels of the finest level, across or down; less has too little in it. */
const LEAST_SIDE_PX = 14;

/**
 * Where in the second photo is what a box of the first holds. Where the photos lie over each other there, as they do as a
 * whole; a subject that has moved in front of its background is looked for around.
 *
 * @param box in pixels of the first photo
 * @param whole how the photos lie over each other
 * @returns how what is in the box has moved
 */
export function follow(first: Pyramid, second: Pyramid, whole: Alignment, box: Box): Similarity {
  const finest = { one: first.levels.at(-1)!, other: second.levels.at(-1)! };
  const [width, height] = [box[2] - box[0], box[3] - box[1]];
  const roomy: Box = [
    Math.floor(box[0] - AROUND * width),
    Math.floor(box[1] - AROUND * height),
    Math.ceil(box[2] + AROUND * width),
    Math.ceil(box[3] + AROUND * height),
  ];
  const window = clipped(roomy, first.photo);
  if (!window || Math.min(width / finest.one.stepX, height / finest.one.stepY) < LEAST_SIDE_PX) return whole.similarity;
  const here = correlation(finest, whole.similarity, window);
  if (here.likeness >= STILL_LIKENESS) return whole.similarity;
  const start = likeliestShift(first, second, whole.similarity, window);
  const found = refine(first, second, start, { window, nLevels: 2, mayTurn: false });
  const scale = scaleOf(found.similarity) / scaleOf(whole.similarity);
  const isFound =
    found.likeness >= Math.max(FOUND_LIKENESS, here.likeness + LEAST_GAIN) &&
    found.overlap > 0.8 &&
    Math.max(scale, 1 / scale) <= MOST_SCALE;
  return isFound ? found.similarity : whole.similarity;
}

/** Of all shifts in reach by whole pixels of the level but the finest. */
function likeliestShift(first: Pyramid, second: Pyramid, whole: Similarity, window: Box): Similarity {
  const level = Math.max(0, first.levels.length - 2);
  const pair = { one: first.levels[level]!, other: second.levels[Math.min(level, second.levels.length - 1)]! };
  const { width, height } = pair.other.detail;
  const reach = Math.round(REACH * Math.max(width, height));
  let best = { similarity: whole, worth: -Infinity };
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const shift = { ...IDENTITY, shiftX: x * pair.other.stepX, shiftY: y * pair.other.stepY };
      const similarity = after(whole, shift);
      const { likeness, overlap } = correlation(pair, similarity, window);
      const worth = overlap > 0.8 ? likeness : -Infinity;
      if (worth > best.worth) best = { similarity, worth };
    }
  }
  return best.similarity;
}
