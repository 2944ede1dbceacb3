import { defined } from '../base/defined.js';
import { boxOfRect, boxOfSize, rectOfBox, type Point, type Size } from '../base/geometry.js';
import type { ModelIdentity } from '../engines/engine.js';
import type { CameraFocus } from '../photo/metadata/camera-focus.js';
import type { CropOutcome } from './crop-outcome.js';
import { elementsInPhoto } from './elements-in-photo.js';
import { exactCrops, subjectNotes } from './exact-crops.js';
import { resultNotes } from './result-notes.js';
import type { Candidate, CropRect, CropResult } from '../base/schema.js';
import { focalPoint } from './focal-point.js';
import { straightenNote } from './straighten.js';
import { textOf, type TextInPhoto } from './text-lines.js';
import { textNote } from './whole-text.js';
import { formatAspect, type Target } from './target.js';
import { canvasOf, type FitWishes } from './canvas.js';
import type { Head } from '../faces/heads.js';
import type { Canvas } from '../photo/canvas.js';
import type { Photo } from '../photo/decode.js';

/** A crop that leaves out less than this share of the photo is not worth making: the verdict is `keep`. */
const KEEP_FROM_SHARE = 0.97;

const REJECTED = 'is rejected by the model: no crop makes it a good photo';

/** crop: the candidates as exact crops of the photo, and the best of them; all in oriented photo pixels. */
export function cropResult(outcome: CropOutcome): CropResult {
  const { ready, wishes, engine, settled, proposed } = outcome;
  const { target } = settled;
  const { photo, frame, heads, straighten, text } = ready;
  const { decision, conversation } = outcome.decided;
  if (wishes.onConversation && conversation) wishes.onConversation(conversation(), target);
  const rects = exactCrops(outcome);
  const analysis = elementsInPhoto(outcome);
  const crop = rects[decision.best]!;
  const isWhole = crop.width * crop.height >= KEEP_FROM_SHARE * photo.width * photo.height;
  const isOfSubject = wishes.margin !== undefined || wishes.place !== undefined;
  const keepsPhoto = (isWhole || (decision.verdict === 'keep' && !isOfSubject)) && !target.aspect;
  const final = keepsPhoto ? rectOfBox(boxOfSize(photo)) : crop;
  const canvas = canvasOf(final, target, wishes.fit, photo);
  return {
    schemaVersion: 1,
    photo: photoInResult(photo),
    engine: engine.name,
    ...(engine.identity && { model: reportedModel({ ...engine.identity, seed: wishes.seed }) }),
    frame: { widthPx: frame.width, heightPx: frame.height },
    target: askedTarget(target, wishes.fit),
    analysis,
    candidates: proposed.candidates.map(({ why }, i): Candidate => ({
      box: boxOfRect(rects[i]!),
      modelScore: round6(decision.modelScores[i]!),
      why,
    })),
    best: decision.best,
    why: decision.why,
    crop: final,
    ...defined({ canvas: canvas && canvasInResult(canvas) }),
    ...defined({ cameraFocus: settled.cameraFocus && cameraFocusInResult(settled.cameraFocus) }),
    focalPoint: focalPoint(photo, analysis, boxOfRect(final), settled.focus),
    ...defined({ heads: heads && headsInResult(heads), text: text && textInResult(text), straighten }),
    // A straightened photo is not as it was, even all of it.
    verdict: keepsPhoto && !photo.turn ? 'keep' : 'crop',
    ...defined({ modelVerdict: decision.verdict }),
    ...((engine.scores ?? true) ? { confidence: round6(decision.modelScores[decision.best]!) } : {}),
    ...resultNotes(photo, final, { size: target.size, canvas }, [
      straighten && straightenNote(straighten),
      settled.note,
      ...subjectNotes(outcome, final),
      // Of an animation once there is one crop for all its frames.
      photo.animation && !canvas ? undefined : textNote(final, textOf(ready)),
      decision.verdict === 'reject' ? REJECTED : undefined,
    ]),
    timingsMs: ready.timings.with(settled.engineTarget.timings),
  };
}

/** What was asked for, as results have it. */
export function askedTarget({ aspect, size }: Target, { fit, background, enlarge }: FitWishes): CropResult['target'] {
  return {
    ...(aspect && !size ? { aspect: formatAspect(aspect) } : {}),
    ...(size ? { size: { widthPx: size.width, heightPx: size.height } } : {}),
    ...(aspect && fit && fit !== 'crop' ? { fit, ...defined({ background, enlarge }) } : {}),
  };
}

/** The result with another crop than its best candidate is. */
export function withCrop(
  result: CropResult,
  crop: CropRect,
  {
    photo,
    focus,
    notes = [],
  }: { readonly photo: Size; readonly focus: Point | undefined; readonly notes?: readonly string[] },
): CropResult {
  const isWhole = crop.width * crop.height >= KEEP_FROM_SHARE * photo.width * photo.height;
  const keepsPhoto = isWhole && result.verdict === 'crop' && result.target.aspect === undefined && !result.target.size;
  return {
    ...result,
    crop: keepsPhoto ? rectOfBox(boxOfSize(photo)) : crop,
    ...(keepsPhoto && { verdict: 'keep' as const }),
    focalPoint: focalPoint(photo, result.analysis, boxOfRect(crop), focus),
    ...(notes.length > 0 ? { notes: [...(result.notes ?? []), ...notes] } : {}),
  };
}

export function headsInResult(heads: readonly Head[]): NonNullable<CropResult['heads']> {
  return heads.map(({ box }) => [...box]);
}

function textInResult(text: readonly TextInPhoto[]): NonNullable<CropResult['text']> {
  return text.map(({ box, ...line }) => ({ ...line, box: [...box] }));
}

function cameraFocusInResult({ tag, point: [x, y] }: CameraFocus): NonNullable<CropResult['cameraFocus']> {
  return { tag, x, y };
}

export function canvasInResult({ width, height, at, fill, background }: Canvas): NonNullable<CropResult['canvas']> {
  return { widthPx: width, heightPx: height, at: { ...at }, fill, ...defined({ background }) };
}

function reportedModel({
  loras,
  ...identity
}: ModelIdentity & { readonly seed: number }): NonNullable<CropResult['model']> {
  return { ...identity, ...(loras.length > 0 ? { loras: [...loras] } : {}) };
}

/** Six decimals: below that, a probability differs between builds of the same arithmetic. */
function round6(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** The photo as results name it; of a raw file, the preview that was looked at. */
export function photoInResult({ path, width, height, raw }: Photo): CropResult['photo'] {
  const ofRaw = raw && { widthPx: raw.width, heightPx: raw.height };
  return { ...defined({ path }), widthPx: width, heightPx: height, ...defined({ raw: ofRaw }) };
}
