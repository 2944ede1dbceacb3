import { defined } from '../base/defined.js';
import { boxOfRect, boxOfSize, rectOfBox, type Box, type Point } from '../base/geometry.js';
import type { Analysed, Decided, ModelIdentity, PhotoEngine, Proposed } from '../engines/engine.js';
import type { Photo } from '../photo/decode.js';
import { cropRectangle } from './crop-rectangle.js';
import { slideToFocus } from './focus.js';
import type { SettledTarget, SettledWishes } from './wishes.js';
import { resultNotes } from './result-notes.js';
import type { ReadyPhoto } from './ready-photo.js';
import type { Candidate, CropRect, CropResult, Element } from '../base/schema.js';
import { focalPoint } from './focal-point.js';
import { formatAspect } from './target.js';

/** A crop that leaves out less than this share of the photo is not worth making: the verdict is `keep`. */
const KEEP_FROM_SHARE = 0.97;

const REJECTED = 'is rejected by the model: no crop makes it a good photo';

/** What an engine has made of one target. */
export interface CropOutcome {
  readonly ready: ReadyPhoto;
  readonly wishes: SettledWishes;
  readonly engine: PhotoEngine;
  readonly settled: SettledTarget;
  readonly analysed: Analysed;
  readonly proposed: Proposed;
  readonly decided: Decided;
}

/** crop: the candidates as exact crops of the photo, and the best of them; all in oriented photo pixels. */
export function cropResult(outcome: CropOutcome): CropResult {
  const { ready, wishes, engine, settled, proposed } = outcome;
  const { target } = settled;
  const { photo, frame, heads } = ready;
  const { decision, conversation } = outcome.decided;
  if (wishes.onConversation && conversation) wishes.onConversation(conversation(), target);
  const rects = exactCrops(outcome);
  const analysis = elementsInPhoto(outcome);
  const crop = rects[decision.best]!;
  const isWhole = crop.width * crop.height >= KEEP_FROM_SHARE * photo.width * photo.height;
  const keepsPhoto = (isWhole || decision.verdict === 'keep') && !target.aspect;
  const final = keepsPhoto ? rectOfBox(boxOfSize(photo)) : crop;
  return {
    schemaVersion: 1,
    photo: { ...defined({ path: photo.path }), widthPx: photo.width, heightPx: photo.height },
    engine: engine.name,
    ...(engine.identity && { model: reportedModel({ ...engine.identity, seed: wishes.seed }) }),
    frame: { widthPx: frame.width, heightPx: frame.height },
    target: {
      ...(target.aspect && !target.size ? { aspect: formatAspect(target.aspect) } : {}),
      ...(target.size ? { size: { widthPx: target.size.width, heightPx: target.size.height } } : {}),
    },
    analysis,
    candidates: proposed.candidates.map(({ why }, i): Candidate => ({
      box: boxOfRect(rects[i]!),
      modelScore: round6(decision.modelScores[i]!),
      why,
    })),
    best: decision.best,
    why: decision.why,
    crop: final,
    focalPoint: focalPoint(photo, analysis, boxOfRect(final), wishes.focus),
    ...(heads ? { heads: heads.map((box) => [...box] as [number, number, number, number]) } : {}),
    verdict: keepsPhoto ? 'keep' : 'crop',
    ...defined({ modelVerdict: decision.verdict }),
    ...((engine.scores ?? true) ? { confidence: round6(decision.modelScores[decision.best]!) } : {}),
    ...resultNotes(photo, final, target.size, [settled.note, decision.verdict === 'reject' ? REJECTED : undefined]),
    timingsMs: ready.timings.with(settled.engineTarget.timings),
  };
}

/** The result with another crop than its best candidate is. */
export function withCrop(result: CropResult, crop: CropRect, photo: Photo, note: string): CropResult {
  const isWhole = crop.width * crop.height >= KEEP_FROM_SHARE * photo.width * photo.height;
  const keepsPhoto = isWhole && result.verdict === 'crop' && result.target.aspect === undefined && !result.target.size;
  return {
    ...result,
    crop: keepsPhoto ? rectOfBox(boxOfSize(photo)) : crop,
    ...(keepsPhoto && { verdict: 'keep' as const }),
    focalPoint: focalPoint(photo, result.analysis, boxOfRect(crop), undefined),
    notes: [...(result.notes ?? []), note],
  };
}

/** T_comp, in oriented photo pixels. */
export function elementsInPhoto({ ready, analysed }: Pick<CropOutcome, 'ready' | 'analysed'>): Element[] {
  return analysed.elements.map((element) => ready.map.toPhoto.element(element));
}

/** The candidates as exact crops of the photo. */
export function exactCrops({
  ready: { map, photo },
  wishes: { focus },
  settled,
  proposed,
}: Pick<CropOutcome, 'ready' | 'wishes' | 'settled' | 'proposed'>): CropRect[] {
  return proposed.candidates.map(({ boxInFrame }) => exactCrop(map.toPhoto.box(boxInFrame), photo, settled, focus));
}

/** The candidate in whole pixels, within every wish. */
function exactCrop(box: Box, photo: Photo, settled: SettledTarget, focus: Point | undefined): CropRect {
  const { minSize, target, keep } = settled;
  const { aspect } = target;
  const rect = cropRectangle({ photo, box, keep, minSize, ...defined({ aspect }), name: photo.name });
  return focus ? slideToFocus(rect, focus, keep, photo) : rect;
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
