import { boxArea, boxCentre, type Box, type Size } from '../../base/geometry.js';

/** How large a subject is in its crop, and where. */
export interface Composition {
  /** Area of the subject's box as a share of the crop's. */
  readonly areaShare: number;
  /** Its middle, as shares of the crop's sides from the upper left corner. */
  readonly centre: readonly [across: number, down: number];
  /** The crop holds all of it. */
  readonly isWhole: boolean;
}

/** Cut by no more than this share of the crop's sides, a subject is whole: finders are no more exact. */
const WHOLE_SLACK = 0.02;

export function compositionOf([x1, y1, x2, y2]: Box, subject: Box): Composition {
  const [width, height] = [x2 - x1, y2 - y1];
  const [x, y] = boxCentre(subject);
  const [slackX, slackY] = [WHOLE_SLACK * width, WHOLE_SLACK * height];
  return {
    areaShare: boxArea(subject) / (width * height),
    centre: [(x - x1) / width, (y - y1) / height],
    isWhole:
      subject[0] >= x1 - slackX && subject[1] >= y1 - slackY && subject[2] <= x2 + slackX && subject[3] <= y2 + slackY,
  };
}

/**
 * The box of a ratio that a subject is in as in the composition: as large in it, its middle at the same place; larger where
 * the subject is wider or higher than that and was whole. It is no whole pixels, and may reach outside the photo.
 *
 * @param ratio its width and height, in any measure
 */
export function composedBox({ areaShare, centre, isWhole }: Composition, subject: Box, ratio: Size): Box {
  const area = boxArea(subject) / areaShare;
  const width = Math.sqrt((area * ratio.width) / ratio.height);
  const height = area / width;
  const [subjectWidth, subjectHeight] = [subject[2] - subject[0], subject[3] - subject[1]];
  const larger = isWhole ? Math.max(1, subjectWidth / width, subjectHeight / height) : 1;
  const [x, y] = boxCentre(subject);
  const left = x - centre[0] * larger * width;
  const top = y - centre[1] * larger * height;
  return [left, top, left + larger * width, top + larger * height];
}
