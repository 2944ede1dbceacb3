import { defined } from '../base/defined.js';
import { boxCentre, boxOfRect, boxOfSize, rectOfBox, unionOf, type Box, type Point } from '../base/geometry.js';
import type { CropRect } from '../base/schema.js';
import type { CropOutcome } from './crop-outcome.js';
import { elementsInPhoto } from './elements-in-photo.js';
import { cropRectangle } from './crop-rectangle.js';
import { slideToFocus } from './focus.js';
import { withMargin } from './margin.js';
import { hasRoomFor, paddedBox } from './padded-box.js';
import { placedCrop, placeNote } from './place.js';
import { distinctSubject, subjectBox } from './subject.js';
import { textOf } from './text-lines.js';
import { wholeTextCrop } from './whole-text.js';

type Proposal = Omit<CropOutcome, 'decided'>;

/** The candidates as exact crops of the photo, within every wish. */
export function exactCrops(outcome: Proposal): CropRect[] {
  return outcome.proposed.candidates.map(({ boxInFrame }) =>
    exactCrop(outcome.ready.map.toPhoto.box(boxInFrame), outcome),
  );
}

/** What of the wishes for the subject a crop does not meet, to follow the photo's name. */
export function subjectNotes(outcome: Proposal, crop: CropRect): string[] {
  const { margin, place } = outcome.wishes;
  if (margin === undefined && place === undefined) return [];
  const subject = subjectOf(outcome);
  const at = subject?.point;
  if (!at)
    return [
      'is cropped as if nothing had been said of its subject: nothing tells where that is; say so with --focus or --keep',
    ];
  const isCut = margin && subject.box && !holds(crop, subject.box);
  return [
    ...(isCut ? ['has a subject that no crop of this ratio holds whole'] : []),
    ...(place ? [placeNote(crop, at, place) ?? []].flat() : []),
    ...(margin && !subject.box ? ['is not trimmed to its subject: of that only a point is known'] : []),
  ];
}

function exactCrop(box: Box, outcome: Proposal): CropRect {
  const { wishes, settled, ready } = outcome;
  const { photo } = ready;
  const { target, minSize, isPadded = false, focus } = settled;
  const { aspect } = target;
  const subject = subjectOf(outcome);
  const trimmed = wishes.margin && subject?.box ? withMargin(subject.box, wishes.margin, photo) : undefined;
  const held = heldBy(outcome, trimmed);
  const mayPad = aspect !== undefined && (wishes.fit.fit ?? 'crop') !== 'crop';
  const limits = { photo, minSize, keep: settled.keep, ...defined({ aspect }), name: photo.name };
  const hasRoom = !aspect || hasRoomFor({ photo, aspect, held });
  if (mayPad && (isPadded || !hasRoom)) return rectOfBox(paddedBox({ photo, aspect, held, minSize }, trimmed ?? box));
  // What is wished of the subject is done as far as the ratio has room; what is to be kept always has.
  const keep = hasRoom ? held : settled.keep;
  const rect = cropRectangle({ ...limits, keep, box: trimmed ?? box });
  const whole = (crop: CropRect): CropRect =>
    wholeTextCrop(crop, textOf(ready), { photo, keep, minSize, ...defined({ aspect }) });
  if (wishes.place && subject) return whole(placedCrop(rect, subject.point, wishes.place, { ...limits, keep }));
  return whole(focus && !trimmed ? slideToFocus(rect, focus, keep, photo) : rect);
}

/** What a crop is to hold whole: what is kept, and the subject where a wish is about it. */
function heldBy(outcome: Proposal, trimmed: Box | undefined): readonly Box[] {
  const { wishes, settled, engine, ready } = outcome;
  const { photo } = ready;
  // A margin says itself how much room there is around what is kept.
  if (trimmed) return [trimmed];
  const fills = (wishes.fit.fit ?? 'crop') !== 'crop' && settled.target.aspect !== undefined;
  const places = wishes.place !== undefined && !settled.focus;
  // Without a ratio the engine `full` would have left the photo as it is.
  const whole = engine.name === 'full' && fills ? boxOfSize(photo) : distinctSubject(elementsInPhoto(outcome), photo);
  return [...settled.keep, ...((fills || places) && whole ? [whole] : [])];
}

/** What the crop is of: rectangles to keep, else heads, else what the analysis names; its middle, or the focus. */
function subjectOf(outcome: Proposal): { readonly point: Point; readonly box?: Box } | undefined {
  const { wishes, ready, settled } = outcome;
  const box =
    unionOf(wishes.asked) ??
    unionOf((ready.heads ?? []).map((head) => head.box)) ??
    subjectBox(elementsInPhoto(outcome));
  const point = settled.focus ?? (box && boxCentre(box));
  return point && { point, ...defined({ box }) };
}

function holds(crop: CropRect, [x1, y1, x2, y2]: Box): boolean {
  const [left, top, right, bottom] = boxOfRect(crop);
  return left <= x1 && top <= y1 && right >= x2 && bottom >= y2;
}
