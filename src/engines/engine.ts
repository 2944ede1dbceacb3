import type { Box, Size } from '../base/geometry.js';
import type { CandidateLimits, ProposedBox } from './limits.js';
import type { Element, EngineName } from '../base/schema.js';
import type { PixelBudget } from '../photo/frame.js';
import type { Stage } from '../base/stages.js';
import type { Timings } from '../base/timings.js';

/** What an engine looks at: RGB, row major, `frame.width * frame.height * 3` bytes. */
export interface FrameImage {
  readonly frame: Size;
  readonly rgb: Uint8Array;
}

/** One crop wanted of a photo, in terms of its frame. */
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
  readonly instruction?: string;
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
  /** Probability of each candidate to be named best, averaged over the votes; sums to 1. */
  readonly modelScores: readonly number[];
}

/** What an engine gives for one target, in the frame. */
export interface EngineCrop {
  readonly candidates: readonly ProposedBox[];
  readonly decision: Decision;
  /** Everything said and shown, where there was a conversation. */
  readonly conversation?: () => readonly ConversationPart[];
}

/** Which weights and prompts made a result. */
export interface ModelIdentity {
  readonly name: string;
  readonly sha256: string;
  readonly mmprojSha256: string;
  readonly promptVersion: string;
  readonly loras: readonly { readonly path: string; readonly scale: number }[];
}

/** What finds crops in a framed photo: the model, or one of the plain functions it is compared with. */
export interface PhotoEngine {
  readonly name: EngineName;
  /** Area of the frame it wants to look at. */
  readonly pixelBudget: PixelBudget;
  /** False for an engine that goes by the photo's size alone: its frame stays undecoded and has no pixels. Default true. */
  readonly needsPixels?: boolean;
  /** Only where a model is at work. */
  readonly identity?: ModelIdentity;
  /** Whether it understands a wish in words. */
  readonly takesInstruction: boolean;
  crop(
    photo: FrameImage,
    targets: readonly EngineTarget[],
    request: EngineRequest,
    sampling: SamplingOptions,
    timings: Timings,
    onProgress?: (stage: string) => void,
  ): Promise<{ elements: Element[]; crops: EngineCrop[] }>;
  /** Absent where the engine looks at no composition. */
  analyse?(photo: FrameImage, sampling: SamplingOptions, timings: Timings): Promise<Element[]>;
  /** Natural log-likelihood of each box (in the frame) as the first proposal; absent where there is no such thing. */
  rank?(
    photo: FrameImage,
    boxesInFrame: readonly Box[],
    sampling: SamplingOptions,
    timings: Timings,
    without?: readonly Stage[],
  ): Promise<number[]>;
}
