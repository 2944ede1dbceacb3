import { boxArea, type Box } from '../../base/geometry.js';
import { leastTrim, meetsLimits, type CandidateLimits } from '../../engines/limits.js';

/** Candidates differ by this share of the frame's shorter side on some edge, as the answer form has it. */
const DISTINCT_SHARE = 1 / 32;

/** The nearest box of exactly the ratio the answer form asks for, inside the frame. */
export function shaped([x1, y1, x2, y2]: Box, { frame, aspect }: CandidateLimits): Box {
  if (!aspect) return [x1, y1, x2, y2];
  const heightPerWidth = aspect.height / aspect.width;
  let width = x2 - x1;
  while (Math.round(width * heightPerWidth) > frame.height) width--;
  const height = Math.max(1, Math.round(width * heightPerWidth));
  const top = Math.max(0, Math.min(frame.height - height, Math.round((y1 + y2 - height) / 2)));
  return [x1, top, x1 + width, top + height];
}

/**
 * A person's crop as a candidate the answer form can say: an edge that trims a sliver goes to the frame's side or to the
 * least that is trimmed, whichever is nearer, and a fixed ratio is met exactly. Undefined where it is smaller than the
 * limits allow, or not inside the frame.
 */
export function fitCandidate(box: Box, limits: CandidateLimits): Box | undefined {
  const { width, height } = limits.frame;
  if (box[0] < 0 || box[1] < 0 || box[2] > width || box[3] > height) return undefined;
  const least = leastTrim(limits);
  const trim = (px: number, leastPx: number | undefined): number =>
    leastPx === undefined || px >= leastPx ? px : px < leastPx / 2 ? 0 : leastPx;
  const [x1, y1] = [trim(box[0], least?.width), trim(box[1], least?.height)];
  const [x2, y2] = [width - trim(width - box[2], least?.width), height - trim(height - box[3], least?.height)];
  if (x1 >= x2 || y1 >= y2) return undefined;
  const fitted = shaped([x1, y1, x2, y2], limits);
  return boxArea(fitted) > 0 && meetsLimits(fitted, limits) ? fitted : undefined;
}

/** The boxes that the answer form tells apart from all before them, and that keep the limits. */
export function distinctWithin<Item extends { readonly box: Box }>(
  boxes: readonly Item[],
  limits: CandidateLimits,
): Item[] {
  const { frame } = limits;
  const leastOffset = Math.ceil(Math.min(frame.width, frame.height) * DISTINCT_SHARE);
  const kept: Item[] = [];
  for (const item of boxes) {
    const { box } = item;
    const apart = kept.every((other) => box.some((edge, i) => Math.abs(edge - other.box[i]!) >= leastOffset));
    if (apart && meetsLimits(box, limits)) kept.push(item);
  }
  return kept;
}
