import { defined } from '../../base/defined.js';
import { boxOfRect, boxOfSize, clamp, clipped, rectOfBox, isCut, type Box, type Point } from '../../base/geometry.js';
import { boxesOf } from '../../faces/heads.js';
import type { CropResult, Element } from '../../base/schema.js';
import { mapElement } from '../../photo/element-map.js';
import { movedBox, movedPoint, type Similarity } from '../../registration/similarity.js';
import { canvasOf, type FitWishes } from '../canvas.js';
import { isOfAspect } from '../crop-rectangle.js';
import type { ReadyPhoto } from '../ready-photo.js';
import type { SettledTarget } from '../wishes.js';
import { carriedRectangle, farthestEdge } from './carried-rectangle.js';
import { ownPart } from './own-part.js';

/** A crop of another photo that shows the same, and where it is in this one. */
export interface CarriedFrom {
  readonly result: CropResult;
  /** As notes and reasons call it. */
  readonly name: string;
  /** From pixels of its upright (or straight) photo to those of this one's. */
  readonly similarity: Similarity;
}

/** Off by more, as a share of the crop's side, somebody may see it. */
const TOLD_FROM = 0.01;

/**
 * The crop of another photo taken over to where the same things are in this one; everything the other result says of its
 * photo with it.
 */
export function carriedResult(
  { result, name, similarity }: CarriedFrom,
  ready: ReadyPhoto,
  settled: SettledTarget,
  fit: FitWishes,
): CropResult {
  const { photo } = ready;
  const heads = boxesOf(ready.heads ?? []);
  const { target } = settled;
  const keepsPhoto = result.verdict === 'keep' || (isWhole(result) && target.aspect === undefined);
  const wanted = keepsPhoto ? boxOfSize(photo) : movedBox(boxOfRect(result.crop), similarity);
  // A crop on a canvas need not have its ratio.
  const lead = { width: result.photo.widthPx, height: result.photo.heightPx };
  const aspect =
    target.aspect && (!result.canvas || isOfAspect(result.crop, target.aspect, lead)) ? target.aspect : undefined;
  const limits = { photo, name: photo.name, ...defined({ aspect }) };
  const asThere = carriedRectangle(wanted, limits);
  const cutsHead = !cutsOne(result.heads, boxOfRect(result.crop)) && cutsOne(heads, boxOfRect(asThere));
  const crop = cutsHead ? carriedRectangle(wanted, { ...limits, keep: settled.keep }) : asThere;
  const analysis = keepsPhoto ? [] : result.analysis.flatMap((element) => movedElement(element, similarity, photo));
  const candidates = result.candidates.map(({ box, ...candidate }) => ({
    ...candidate,
    box: boxOfRect(carriedRectangle(movedBox(box, similarity), limits)),
  }));
  const off = farthestEdge(crop, wanted);
  const { engine, model, target: asked, best, verdict, modelVerdict, confidence, fallback } = result;
  return {
    ...ownPart({
      ...{ ready, settled, crop, analysis },
      canvas: canvasOf(crop, target, fit, photo),
      notes: off > TOLD_FROM ? [offNote(name, off, cutsHead)] : [],
    }),
    engine,
    ...defined({ model }),
    target: asked,
    candidates,
    best,
    why: `as ${name}: ${result.why}`,
    verdict,
    ...defined({ modelVerdict, confidence, fallback }),
  };
}

function offNote(name: string, share: number, isForHead: boolean): string {
  const why = isForHead ? 'a head would be cut there' : 'its photo does not reach as far';
  return `has a crop that is ${(100 * share).toFixed(0)} % of its side off that of ${name}: ${why}`;
}

function isWhole({ crop, photo }: CropResult): boolean {
  return crop.width === photo.widthPx && crop.height === photo.heightPx;
}

/** Whether one of them lies partly in the crop and partly outside. */
function cutsOne(heads: readonly Box[] | undefined, crop: Box): boolean {
  return (heads ?? []).some((head) => isCut(head, crop));
}

/** As it is in this photo; nothing where the photo does not reach that far. */
function movedElement(element: Element, similarity: Similarity, photo: ReadyPhoto['photo']): Element[] {
  const point = (from: Point): [number, number] => {
    const [x, y] = movedPoint(from, similarity);
    return [clamp(Math.round(x), 0, photo.width), clamp(Math.round(y), 0, photo.height)];
  };
  if ('box' in element) {
    const [x1, y1, x2, y2] = movedBox(element.box, similarity);
    const inside = clipped([Math.round(x1), Math.round(y1), Math.round(x2), Math.round(y2)], photo);
    return inside ? [{ type: element.type, box: boxOfRect(rectOfBox(inside)) }] : [];
  }
  const moved = mapElement(element, {
    box: (box) => box,
    point,
    segment: ([x1, y1, x2, y2]) => [...point([x1, y1]), ...point([x2, y2])],
  });
  return [moved];
}
