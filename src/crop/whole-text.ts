import { boxArea, boxOfRect, clipped, isCut, rectOfBox, type Box, type Size } from '../base/geometry.js';
import type { CropRect } from '../base/schema.js';
import { MOST_MOVED, NearCrops, type WholeTextLimits } from './near-crops.js';

/** Room between a line and an edge, as a share of the line's height: letters that touch the edge look cut. */
const ROOM = 0.25;

/** Lines that an edge of the crop goes through. */
export function textCutBy(crop: CropRect, text: readonly Box[]): Box[] {
  const box = boxOfRect(crop);
  return text.filter((line) => isCut(line, box));
}

/**
 * The crop moved as little as it takes for each line of text to be wholly inside or wholly outside, rather inside where its
 * larger part is. A ratio stays what it is: the crop keeps its size where moving will do; where it will not, and without a
 * ratio, it is sized too. Where no crop near this one leaves all lines whole, as many as can be are, the largest first, or the
 * crop stays as it is where that helps few.
 *
 * @param crop meets the limits, as does what is returned
 * @param text boxes around the lines, in pixels of the upright photo
 */
export function wholeTextCrop(crop: CropRect, text: readonly Box[], limits: WholeTextLimits): CropRect {
  const box = boxOfRect(crop);
  const roomy = text.map((line) => withRoom(line, limits.photo));
  if (!roomy.some((line) => isCut(line, box))) return crop;
  const search = new NearCrops(box, limits);
  const all = search.nearest(roomy, text);
  if (all) return rectOfBox(all);
  const cut = textCutBy(crop, text);
  let held = text.filter((line) => !isCut(line, box));
  let best: Box = box;
  for (const line of cut.toSorted((a, b) => boxArea(b) - boxArea(a))) {
    const found = search.nearest([...held, line]);
    if (!found) continue;
    held = [...held, line];
    best = found;
  }
  const nHelped = cut.length - textCutBy(rectOfBox(best), cut).length;
  return nHelped >= WORTH_MOVING * cut.length ? rectOfBox(best) : crop;
}

/** A crop of a page of print cuts most lines wherever it lies; for a few of them it is not moved. */
const WORTH_MOVING = 0.5;

/** What to say of a crop that cuts text, to follow the photo's name. */
export function textNote(crop: CropRect, text: readonly Box[]): string | undefined {
  const cut = textCutBy(crop, text);
  if (cut.length === 0) return undefined;
  const places = cut.map((line) => Object.values(rectOfBox(line)).join(',')).join(' and ');
  const [what, them] = cut.length === 1 ? ['a line of text', 'it'] : [`${cut.length} lines of text`, 'them'];
  return `has ${what} that its crop cuts (at ${places}): no crop that meets the wishes, its edges moved by up to ${100 * MOST_MOVED} %, leaves ${them} whole`;
}

function withRoom([x1, y1, x2, y2]: Box, photo: Size): Box {
  const room = Math.ceil(ROOM * Math.min(x2 - x1, y2 - y1));
  return clipped([x1 - room, y1 - room, x2 + room, y2 + room], photo) ?? [x1, y1, x2, y2];
}
