import { AnswerTokens } from './answer/answer-tokens.js';
import type { AnswerCounters, SamplingOptions } from './answer/sampled-answer.js';
import type { Box } from './geometry.js';
import { positionRamps } from './image/ramps.js';
import type { PixelBudget } from './image/frame.js';
import type { ModelUse } from './model/manifest.js';
import type {
  ConversationPart,
  EngineCrop,
  EngineRequest,
  EngineTarget,
  ModelIdentity,
  PhotoEngine,
} from './photo-engine.js';
import { Conversation, type FrameImage, type SeenImage, type TranscriptPart } from './prompt/conversation.js';
import type { PromptProfile } from './prompt/profile.js';
import type { Context } from './runtime/context.js';
import type { VisionModel } from './runtime/model.js';
import type { Element } from './schema.js';
import { analyse } from './steps/analyse.js';
import { decide } from './steps/decide.js';
import { enhance } from './steps/enhance.js';
import { propose } from './steps/propose.js';
import { rank } from './steps/rank.js';
import type { StageContext } from './steps/stage.js';
import type { Timings } from './timings.js';

export interface VlmCounters extends AnswerCounters {
  /** Time in the vision tower, waiting for it included. */
  readonly encodeMs: number;
}

/** CROP's three reasoning stages as one conversation in one KV cache. Several may run at once in one context. */
export class VlmEngine implements PhotoEngine {
  readonly name = 'vlm';
  readonly pixelBudget: PixelBudget;
  readonly identity: ModelIdentity;
  /** Frees the vision tower after each image, for want of memory. */
  releasesEncoder = false;
  readonly #answers: AnswerCounters = { nDecided: 0, nForced: 0 };
  #encodeMs = 0;
  readonly #model: VisionModel;
  readonly #context: Context;
  readonly #use: ModelUse;
  readonly #profile: PromptProfile;
  readonly #tokens: AnswerTokens;

  constructor(model: VisionModel, context: Context, use: ModelUse, profile: PromptProfile, identity: ModelIdentity) {
    this.pixelBudget = { minPixels: use.pixelBudget.min, maxPixels: use.pixelBudget.max };
    this.identity = identity;
    this.#model = model;
    this.#context = context;
    this.#use = use;
    this.#profile = profile;
    this.#tokens = new AnswerTokens(model);
  }

  counters(): VlmCounters {
    return { ...this.#answers, encodeMs: this.#encodeMs };
  }

  get takesInstruction(): boolean {
    return this.#profile.takesInstruction;
  }

  /** Stage 1 only. */
  async analyse(photo: FrameImage, sampling: SamplingOptions, timings: Timings): Promise<Element[]> {
    await using chat = this.#open();
    return await this.#analyse(chat, photo, this.#stage(photo, sampling), timings);
  }

  /** All three stages: one analysis and one enhanced image for all targets, which then go on as parallel sequences. */
  async crop(
    photo: FrameImage,
    targets: readonly EngineTarget[],
    request: EngineRequest,
    sampling: SamplingOptions,
    timings: Timings,
    onProgress?: (stage: string) => void,
  ): Promise<{ elements: Element[]; crops: EngineCrop[] }> {
    await using chat = this.#open();
    const stage = this.#stage(photo, sampling);
    onProgress?.('analyse');
    const elements = await this.#analyse(chat, photo, stage, timings);
    onProgress?.('propose');
    await this.#showEnhanced(chat, photo, elements, stage, timings);
    const crops = await this.#forEach(chat, targets, async (branch, target) => {
      const { limits, aspect, timings: own } = target;
      const { count, votes, instruction } = request;
      const asked = { count, limits, ...(aspect ? { aspect } : {}), ...(instruction ? { instruction } : {}) };
      const candidates = await own.measure('propose', () => propose(branch, asked, stage));
      onProgress?.('decide');
      const decision = await own.measure('decide', () => decide(branch, candidates, votes, stage));
      const { transcript } = branch;
      return { candidates, decision, conversation: () => transcript.map((part) => this.#readable(part)) };
    });
    return { elements, crops };
  }

  /** Log-likelihood of each box (in the frame) as the first proposal for the enhanced photo. */
  async rank(
    photo: FrameImage,
    boxesInFrame: readonly Box[],
    sampling: SamplingOptions,
    timings: Timings,
  ): Promise<number[]> {
    await using chat = this.#open();
    const stage = this.#stage(photo, sampling);
    const elements = await this.#analyse(chat, photo, stage, timings);
    await this.#showEnhanced(chat, photo, elements, stage, timings);
    return await timings.measure('rank', () => rank(chat, boxesInFrame, stage));
  }

  #readable(part: TranscriptPart): ConversationPart {
    if (part.kind === 'image') return { kind: 'image', image: { frame: part.image.frame, rgb: part.image.rgb } };
    return { kind: part.kind, text: this.#model.detokenize(part.tokens), nTokens: part.tokens.length };
  }

  #open(): Conversation {
    return new Conversation(this.#context.session(), this.#model, this.#tokens, this.#answers);
  }

  #stage({ frame }: FrameImage, sampling: SamplingOptions): StageContext {
    return { frame, profile: this.#profile, sampling };
  }

  async #analyse(chat: Conversation, photo: FrameImage, stage: StageContext, timings: Timings): Promise<Element[]> {
    return timings.measure('analyse', async () => {
      const seen = await this.#look(photo, stage);
      using _embedding = seen.embedding;
      return await analyse(chat, seen, stage);
    });
  }

  /** Eq. (2): opens the user's next turn with the photo redrawn. */
  async #showEnhanced(
    chat: Conversation,
    photo: FrameImage,
    elements: readonly Element[],
    stage: StageContext,
    timings: Timings,
  ): Promise<void> {
    const rgb = await timings.measure('enhance', () => enhance(photo, elements, this.#use));
    await timings.measure('propose', async () => {
      const seen = await this.#look({ rgb, frame: photo.frame }, stage);
      using _embedding = seen.embedding;
      chat.startUser();
      await chat.image(seen, stage.sampling.signal);
    });
  }

  async #look({ rgb, frame }: FrameImage, { sampling: { signal } }: StageContext): Promise<SeenImage> {
    const seen = this.#use.preprocess.positionRamps ? positionRamps(rgb, frame) : rgb;
    const start = performance.now();
    const embedding = await this.#model.encodeImage(seen, frame, signal ? { signal } : {});
    if (this.releasesEncoder) await this.#model.releaseEncoder();
    this.#encodeMs += performance.now() - start;
    return { rgb: seen, frame, embedding };
  }

  /** The first item goes on in the conversation itself, the others in forks of it; all advance together. */
  async #forEach<T, R>(
    chat: Conversation,
    items: readonly T[],
    work: (chat: Conversation, item: T) => Promise<R>,
  ): Promise<R[]> {
    const branches = [chat];
    try {
      while (branches.length < items.length) branches.push(await chat.fork());
      const settled = await Promise.allSettled(items.map((item, i) => work(branches[i]!, item)));
      return settled.map((outcome) => {
        if (outcome.status === 'rejected') throw outcome.reason;
        return outcome.value;
      });
    } finally {
      await Promise.all(branches.slice(1).map((branch) => branch.dispose()));
    }
  }
}
