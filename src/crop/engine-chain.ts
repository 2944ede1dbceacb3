import { defined } from '../base/defined.js';
import { FramewrightError } from '../base/errors.js';
import type { CropResult, Fallback, PASSED_OVER } from '../base/schema.js';
import type { EngineChain, PhotoEngine } from '../engines/engine.js';
import { plainEngine } from '../engines/plain-engine.js';
import { CROP_DEFAULTS } from './defaults.js';
import type { HeldWishes } from './wishes.js';

/** One of them, as it is asked. */
export interface Link {
  readonly engine: PhotoEngine;
  readonly wishes: HeldWishes;
  /** The end of the chain: its crop stands, however sure it is of it. */
  readonly fallback?: Exclude<Fallback, 'review'>;
}

/** The engines asked, and behind them the one that is the fallback, if it is one. */
export function linksOf(engines: EngineChain, wishes: HeldWishes): readonly Link[] {
  const { instruct, ...wordless } = wishes;
  const links = engines.map((engine): Link => ({ engine, wishes: engine.takesInstruction ? wishes : wordless }));
  const { fallback = CROP_DEFAULTS.fallback } = wishes;
  return fallback === 'review' ? links : [...links, fallbackLink(fallback, wordless)];
}

/** What it finds is not what was thought about, and nobody follows it. */
function fallbackLink(
  fallback: Exclude<Fallback, 'review'>,
  { onConversation: _, onThought: __, ...wishes }: HeldWishes,
): Link {
  if (fallback !== 'keep') return { engine: plainEngine(fallback), wishes, fallback };
  // A photo that is kept as it is has its subject where it is.
  const { place, margin, ...ofWhole } = wishes;
  return { engine: plainEngine('full'), wishes: ofWhole, fallback };
}

type PassedOver = NonNullable<CropResult['passedOver']>[number];

/** How an engine may leave a photo to the next one; any other error is the photo's. */
const REASONS: Partial<Record<FramewrightError['code'], (typeof PASSED_OVER)[number]>> = {
  NOTHING_FOUND: 'nothing',
  ASPECT_IMPOSSIBLE: 'impossible',
  ANSWER_INVALID: 'invalid',
  CONTEXT_FULL: 'invalid',
};

/** Whether an error says that an engine has no crop where another may have one. */
export function isPassedOn(error: unknown): error is FramewrightError {
  return error instanceof FramewrightError && REASONS[error.code] !== undefined;
}

/** How far the engines of a chain have come with one target. */
export class Course {
  readonly #minConfidence: number;
  readonly #wishes: HeldWishes;
  readonly #passedOver: PassedOver[] = [];
  /** The first crop that nobody was sure of. */
  #unsure: CropResult | undefined;
  #error: FramewrightError | undefined;
  #made: CropResult | undefined;

  constructor(wishes: HeldWishes) {
    this.#wishes = wishes;
    this.#minConfidence = wishes.minConfidence ?? CROP_DEFAULTS.minConfidence;
  }

  get isOpen(): boolean {
    return this.#made === undefined;
  }

  /** What one engine has made of it; it stays open where that does not count. */
  take({ engine, fallback }: Link, made: CropResult): void {
    if (fallback) {
      this.#made = this.#asFallback(made, fallback);
    } else if (made.confidence === undefined || made.confidence >= this.#minConfidence) {
      this.#made = { ...made, analysis: this.#analysisOf(made, engine) };
    } else {
      this.#unsure ??= made;
      const detail = `its confidence is ${made.confidence}, and ${this.#minConfidence} was asked for`;
      this.#passedOver.push({ engine: engine.name, reason: 'unsure', detail, confidence: made.confidence });
    }
  }

  /** Why one engine has made nothing of it. */
  pass({ engine }: Link, error: FramewrightError, detail = error.message): void {
    this.#error ??= error;
    this.#passedOver.push({ engine: engine.name, reason: REASONS[error.code]!, detail });
  }

  /** After the last engine: a crop, or the first error there was. */
  end(): CropResult | FramewrightError {
    const left = this.#unsure && { ...this.#unsure, verdict: 'review' as const, fallback: 'review' as const };
    const result = this.#made ?? left;
    if (!result) return this.#error!;
    const passedOver = this.#passedOver.filter(({ engine }) => engine !== result.engine);
    return passedOver.length > 0 ? { ...result, passedOver } : result;
  }

  /** The fallback's crop, with what the engine asked has seen and how sure it was. */
  #asFallback(made: CropResult, fallback: Exclude<Fallback, 'review'>): CropResult {
    const unsure = this.#unsure;
    if (!unsure) return { ...made, fallback };
    const timingsMs = { ...unsure.timingsMs, ...made.timingsMs };
    const shared = { ...defined({ confidence: unsure.confidence }), fallback, timingsMs };
    if (fallback !== 'keep') return { ...made, ...shared, analysis: this.#analysisOf(made, plainEngine(fallback)) };
    // To keep the photo is to make nothing of the candidates, which stay what they were.
    const { crop, canvas, cameraFocus, focalPoint, verdict } = made;
    const { canvas: _canvas, cameraFocus: _cameraFocus, notes: saidOfUnsure, ...candidates } = unsure;
    const { place, margin, wholeText = false } = this.#wishes;
    // What is said of the crop that is not made.
    const isOfCrop = place !== undefined || margin !== undefined || wholeText;
    const notes = isOfCrop ? made.notes : saidOfUnsure;
    return { ...candidates, ...shared, crop, ...defined({ canvas, cameraFocus, notes }), focalPoint, verdict };
  }

  /** An engine that names no composition leaves the one that was seen before it. */
  #analysisOf(made: CropResult, engine: PhotoEngine): CropResult['analysis'] {
    return engine.namesElements ? made.analysis : (this.#unsure ?? made).analysis;
  }
}
