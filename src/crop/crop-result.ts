import type { Box, Point } from '../base/geometry.js';
import type { ModelIdentity } from '../engines/engine.js';
import type { ReadyPhoto } from './ready-photo.js';
import type { Candidate, CropRect, CropResult, Element, EngineName } from '../base/schema.js';
import { focalPoint } from './focal-point.js';
import { formatAspect, type Target } from './target.js';

/** A crop that leaves out less than this share of the photo is not worth making: the verdict is `keep`. */
const KEEP_FROM_SHARE = 0.97;

export interface CropOutcome {
  readonly ready: ReadyPhoto;
  readonly target: Target;
  /** In oriented photo pixels: heads that were found, and what the user says to look at. */
  readonly heads?: readonly Box[];
  readonly focus?: Point;
  /** In the frame. */
  readonly elements: readonly Element[];
  /** Exact crops, in oriented photo pixels. */
  readonly candidates: readonly { readonly rect: CropRect; readonly why: string; readonly modelScore: number }[];
  readonly best: number;
  readonly why: string;
  readonly engine: EngineName;
  readonly model?: ModelIdentity & { readonly seed: number };
  readonly timingsMs: Record<string, number>;
}

/** The result object, all in oriented photo pixels. */
export function cropResultOf(outcome: CropOutcome): CropResult {
  const { ready, target, candidates, model } = outcome;
  const { photo, frame, map } = ready;
  const analysis = outcome.elements.map((element) => map.toPhoto.element(element));
  const crop = candidates[outcome.best]!.rect;
  const isWhole = crop.width * crop.height >= KEEP_FROM_SHARE * photo.width * photo.height;
  const keepsPhoto = isWhole && !target.aspect;
  const final = keepsPhoto ? { x: 0, y: 0, width: photo.width, height: photo.height } : crop;
  return {
    schemaVersion: 1,
    photo: { ...(photo.path === undefined ? {} : { path: photo.path }), widthPx: photo.width, heightPx: photo.height },
    engine: outcome.engine,
    ...(model && { model: reportedModel(model) }),
    frame: { widthPx: frame.width, heightPx: frame.height },
    target: {
      ...(target.aspect && !target.size ? { aspect: formatAspect(target.aspect) } : {}),
      ...(target.size ? { size: { widthPx: target.size.width, heightPx: target.size.height } } : {}),
    },
    analysis,
    candidates: candidates.map(({ rect, why, modelScore }): Candidate => ({
      box: [...boxOf(rect)],
      modelScore: round6(modelScore),
      why,
    })),
    best: outcome.best,
    why: outcome.why,
    crop: final,
    focalPoint: focalPoint(photo, analysis, boxOf(final), outcome.focus),
    ...(outcome.heads ? { heads: outcome.heads.map((box) => [...box] as [number, number, number, number]) } : {}),
    verdict: keepsPhoto ? 'keep' : 'crop',
    confidence: round6(candidates[outcome.best]!.modelScore),
    timingsMs: outcome.timingsMs,
  };
}

function boxOf({ x, y, width, height }: CropRect): Box {
  return [x, y, x + width, y + height];
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
