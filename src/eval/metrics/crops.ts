import { boundaryDisplacementError, intersectionOverUnion, type Box, type Size } from '../../base/geometry.js';

/** A crop counts as recalled from this IoU with the annotator it is nearest to. */
export const RECALL_IOU = 0.75;

export interface CropAgreement {
  /** With the annotator of highest IoU; of several, the one of least BDE. */
  readonly bestIou: number;
  /** Boundary displacement from that annotator; NaN without the photo's size. */
  readonly bde: number;
  /** Over all annotators. */
  readonly meanIou: number;
}

/** What an unusable prediction is worth: no overlap, and every edge as far off as a photo allows. */
export const UNUSABLE_CROP: CropAgreement = { bestIou: 0, bde: 1, meanIou: 0 };

/** `annotators` has at least one box; all boxes are in the space of `size`. */
export function cropAgreement(predicted: Box, annotators: readonly Box[], size: Size | undefined): CropAgreement {
  let bestIou = -1;
  let bde = Infinity;
  let sum = 0;
  for (const annotator of annotators) {
    const iou = intersectionOverUnion(predicted, annotator);
    const displacement = size ? boundaryDisplacementError(predicted, annotator, size) : NaN;
    sum += iou;
    if (iou > bestIou || (iou === bestIou && displacement < bde)) {
      bestIou = iou;
      bde = displacement;
    }
  }
  return { bestIou, bde, meanIou: sum / annotators.length };
}
