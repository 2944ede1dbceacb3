import type { Coordinates } from '../base/coordinates.js';
import type { Box } from '../base/geometry.js';
import type { FrameImage } from './frame-image.js';
import type { CandidateLimits, ProposedBox } from './limits.js';
import type { Thought } from './thought.js';
import type { Element, EngineName } from '../base/schema.js';
import type { PixelBudget } from '../photo/frame.js';
import type { Stage } from '../base/stages.js';
import type { Timings } from '../base/timings.js';
import type { Verdict } from '../base/verdicts.js';

/** One crop wanted of a photo, in what the engine counts in. */
export interface EngineTarget {
  readonly limits: CandidateLimits;
  /** `width:height` as asked for. */
  readonly aspect?: string;
  /** Takes the times of what is done for this target alone. */
  readonly timings: Timings;
}

/** How a model's answers are drawn. */
export interface SamplingOptions {
  /** 0 (default) takes the most probable. */
  readonly temperature?: number;
  /** Uniform in [0, 1); needed when temperature > 0. */
  readonly random?: () => number;
  readonly signal?: AbortSignal;
}

export interface EngineRequest {
  readonly count: number;
  readonly votes: number;
  /** What the owner of the photo wants, in words. */
  readonly instruct?: string;
  /** Stages to do without; only an engine that holds a photo can. */
  readonly without?: readonly Stage[];
}

/** A run of a conversation: text as the model has it, special tokens included, or an image as it was shown. */
export type ConversationPart =
  | {
      readonly kind: 'prompt' | 'answer';
      readonly text: string;
      readonly tokens: readonly number[];
      readonly nTokens: number;
    }
  | { readonly kind: 'image'; readonly image: FrameImage };

/** Which candidate, and how sure. */
export interface Decision {
  /** Index of the best candidate. */
  readonly best: number;
  readonly why: string;
  /** What the model says of the photo, where it is asked. */
  readonly verdict?: Verdict;
  /** Probability of each candidate to be named best, averaged over the votes; sums to 1. */
  readonly modelScores: readonly number[];
}

/** Which weights and prompts made a result. */
export interface ModelIdentity {
  readonly name: string;
  readonly sha256: string;
  readonly mmprojSha256: string;
  readonly promptVersion: string;
  readonly loras: readonly { readonly path: string; readonly scale: number }[];
}

/** What is asked of an engine about one photo. */
export interface EngineCall {
  readonly request: EngineRequest;
  /** Crops that go on from one analysis and one enhanced image, each on its own. */
  readonly targets: readonly EngineTarget[];
  readonly sampling: SamplingOptions;
  /** Takes the times of what the targets share. */
  readonly timings: Timings;
  /** Called with the name of each stage as it begins. */
  readonly onProgress?: (stage: string) => void;
  /** Called with all that happens, and which of the targets it is for where it is not for all of them. */
  readonly onThought?: (thought: Thought, target?: EngineTarget) => void;
}

/** T_comp of eq. (1): the composition, in the frame; empty where the engine looks at none. */
export interface Analysed {
  readonly elements: Element[];
}

/** The candidates for one target, in the frame. */
export interface Proposed {
  readonly candidates: readonly ProposedBox[];
}

export interface Decided {
  readonly decision: Decision;
  /** Everything said and shown, where there was a conversation. */
  readonly conversation?: () => readonly ConversationPart[];
}

/** What is done for one of the call's targets, the `i`th. */
export type TargetWork<R> = (from: Analysed, target: EngineTarget, i: number) => Promise<R>;

/**
 * The steps of CROP on one photo (arXiv 2605.12545), for one call: what a step gives is what the next one takes, and
 * nothing else may be put in its place. Engines without a model take the same steps; those they have not are trivial.
 * Dispose it when the last step is done: others wait for its place in the model.
 */
export interface EngineSteps extends AsyncDisposable {
  /** Eq. (1). */
  analyse(): Promise<Analysed>;
  /** Eq. (2), and the look at what it drew. */
  enhance(analysed: Analysed): Promise<Analysed>;
  /** Each of the call's targets goes on from the enhanced image, as many side by side as there is room for. */
  forEachTarget<R>(enhanced: Analysed, work: TargetWork<R>): Promise<R[]>;
  propose(from: Analysed, target: EngineTarget): Promise<Proposed>;
  decide(proposed: Proposed, target: EngineTarget): Promise<Decided>;
  /** Natural log-likelihood of each box (in the frame) as the first proposal; absent where there is no such thing. */
  rank?(enhanced: Analysed, boxesInFrame: readonly Box[]): Promise<number[]>;
}

/** What finds crops in a framed photo: the model, or one of the plain functions it is compared with. */
export interface PhotoEngine {
  readonly name: EngineName;
  /** Area of the frame it wants to look at. */
  readonly pixelBudget: PixelBudget;
  /** What its boxes and elements, and the limits it is given, count in. Default: pixels of the frame. */
  readonly coordinates?: Coordinates;
  /** False for an engine that goes by the photo's size alone: its frame stays undecoded and has no pixels. Default true. */
  readonly needsPixels?: boolean;
  /** Only where a model is at work. */
  readonly identity?: ModelIdentity;
  /** Whether it understands a wish in words. */
  readonly takesInstruction: boolean;
  /** Whether its candidates have scores that say how sure it is: its crop's confidence. Default true. */
  readonly scores?: boolean;
  /** Whether it looks at the composition at all. */
  readonly namesElements: boolean;
  /** Whether it goes by heads, which are then looked for in every photo. Default false. */
  readonly needsHeads?: boolean;
  /** Why it has nothing to go by in a photo, as a sentence; its steps are then not to be taken. Default: it always has. */
  nothingIn?(photo: FrameImage): string | undefined;
  takeOn(photo: FrameImage, call: EngineCall): EngineSteps;
  /** An error of its steps in the words of those who ask for crops; another one as it is. */
  explain?(error: unknown): unknown;
}

/** Engines that are asked in turn, the next where the one before has no crop that counts. */
export type EngineChain = readonly [PhotoEngine, ...PhotoEngine[]];
