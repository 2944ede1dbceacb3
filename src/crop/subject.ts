import { boxArea, boxOfSize, type Box, type Size } from '../base/geometry.js';
import type { Element } from '../base/schema.js';

/** The subject's box, in what the elements count in: the first that the analysis names; undefined where it names none. */
export function subjectBox(analysis: readonly Element[]): Box | undefined {
  return analysis.flatMap((element) => ('box' in element ? [element.box as Box] : []))[0];
}

/** What covers more of the photo is its scene: of a landscape nothing is lost by showing a part. */
const MOST_OF_PHOTO = 1 / 2;

/** The subject's box, where it is one thing in the photo and not all that is to be seen there. */
export function distinctSubject(analysis: readonly Element[], photo: Size): Box | undefined {
  const box = subjectBox(analysis);
  return box && boxArea(box) <= MOST_OF_PHOTO * boxArea(boxOfSize(photo)) ? box : undefined;
}
