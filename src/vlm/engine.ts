import { AnswerTokens } from './answer/answer-tokens.js';
import type { AnswerCounters } from './answer/sampled-answer.js';
import { defined } from '../base/defined.js';
import { coordinateSpace, type Coordinates } from '../base/coordinates.js';
import type { ConversationPart, EngineCall, ModelIdentity, PhotoEngine } from '../engines/engine.js';
import type { FrameImage } from '../engines/frame-image.js';
import { FramewrightError } from '../base/errors.js';
import type { ContextPool } from './contexts.js';
import { ConversationTree } from './conversation-tree.js';
import { positionRamps } from '../photo/ramps.js';
import type { PixelBudget } from '../photo/frame.js';
import type { ModelUse } from '../model/manifest.js';
import { Conversation, type SeenImage, type TranscriptPart } from './prompt/conversation.js';
import type { PromptProfile } from './prompt/prompt-profile.js';
import { Reasoning } from './reasoning.js';
import type { VisionModel } from '../runtime/model.js';
import { enhance } from './enhance/enhance.js';
import { placeCandidates } from './propose/place-edges.js';

export interface VlmCounters extends AnswerCounters {
  /** Time in the vision tower, waiting for it included. */
  readonly encodeMs: number;
  /** Images that went through it. */
  readonly nImages: number;
  /** Of these, those begun before their photo's turn. */
  readonly nAhead: number;
}

/** How a model is used in its contexts. */
export interface VlmSettings {
  readonly use: ModelUse;
  readonly profile: PromptProfile;
  /** As many of a context's as one photo may take, for its conversation and the forks of it. */
  readonly sequences: number;
  readonly identity: ModelIdentity;
}

/**
 * CROP's three reasoning stages as one conversation in one KV cache. Several may run at once in one context, where they
 * share batches, or each in one of its own, where none is changed by the others' company.
 */
export class VlmEngine implements PhotoEngine {
  readonly name = 'vlm';
  readonly pixelBudget: PixelBudget;
  readonly identity: ModelIdentity;
  readonly coordinates: Coordinates;
  /** Frees the vision tower after each image, for want of memory. */
  releasesEncoder = false;
  /** Whether the vision tower works on photos to come while others are decoded; see `encodeAhead`. */
  encodesAhead = false;
  readonly #answers: AnswerCounters = { nDecided: 0, nForced: 0 };
  #encodeMs = 0;
  #nImages = 0;
  #nAhead = 0;
  readonly #ahead = new WeakMap<FrameImage, Promise<SeenImage>>();
  readonly #model: VisionModel;
  readonly #contexts: ContextPool;
  readonly #use: ModelUse;
  readonly #sequences: number;
  readonly #profile: PromptProfile;
  readonly #tokens: AnswerTokens;

  constructor(model: VisionModel, contexts: ContextPool, { use, sequences, profile, identity }: VlmSettings) {
    const { min: minPixels, max: maxPixels } = use.pixelBudget;
    this.pixelBudget = { minPixels, maxPixels, cellPx: model.cellPx };
    this.identity = identity;
    this.coordinates = profile.coordinates ?? model.family.coordinates;
    this.#model = model;
    this.#contexts = contexts;
    this.#use = use;
    this.#sequences = sequences;
    this.#profile = profile;
    this.#tokens = new AnswerTokens(model);
  }

  counters(): VlmCounters {
    return { ...this.#answers, encodeMs: this.#encodeMs, nImages: this.#nImages, nAhead: this.#nAhead };
  }

  get namesElements(): boolean {
    return this.#profile.stages.includes('analysis');
  }

  get scores(): boolean {
    return this.#profile.oneBox === undefined;
  }

  get takesInstruction(): boolean {
    return this.#profile.takesInstruction;
  }

  get model(): VisionModel {
    return this.#model;
  }

  /**
   * Has the vision tower begin with a photo that will be asked about soon, where that costs what is decoded meanwhile
   * nothing. To be disposed after the photo's crop, whatever became of it.
   */
  encodeAhead(photo: FrameImage, signal?: AbortSignal): AsyncDisposable {
    if (!this.encodesAhead) return { [Symbol.asyncDispose]: () => Promise.resolve() };
    const seen = this.#encode(photo, signal);
    const settled = seen.catch(() => undefined); // whoever takes it gets the error
    this.#ahead.set(photo, seen);
    this.#nAhead++;
    return {
      [Symbol.asyncDispose]: async () => {
        if (this.#ahead.delete(photo)) (await settled)?.embedding.dispose();
      },
    };
  }

  /** All three stages: one analysis and one enhanced image for all targets, which then go on as parallel sequences. */
  takeOn(photo: FrameImage, call: EngineCall): Reasoning {
    const tree = this.#treeOf(photo, false);
    return new Reasoning(tree, call, () => tree[Symbol.asyncDispose]());
  }

  /**
   * The engine as it is for one photo, whatever it is asked about it: what several answers share is computed once. Holds up
   * to twice the cells of one conversation. Its calls must not overlap.
   */
  hold(photo: FrameImage): PhotoEngine & AsyncDisposable {
    const tree = this.#treeOf(photo, true);
    return {
      name: this.name,
      pixelBudget: this.pixelBudget,
      identity: this.identity,
      coordinates: this.coordinates,
      takesInstruction: this.takesInstruction,
      namesElements: this.namesElements,
      scores: this.scores,
      takeOn: (_photo, call) => new Reasoning(tree, call),
      explain: (error) => this.explain(error),
      [Symbol.asyncDispose]: () => tree[Symbol.asyncDispose](),
    };
  }

  #treeOf(photo: FrameImage, isKept: boolean): ConversationTree {
    return new ConversationTree(
      {
        open: () => new Conversation(this.#contexts.idlest.session(), this.#model, this.#tokens, this.#answers),
        encode: (image, signal) => this.#taken(image) ?? this.#encode(image, signal),
        enhance: (image, elements) =>
          enhance(image, elements, this.#use, coordinateSpace(this.coordinates, image.frame)),
        placeEdges: (image, candidates, limits) =>
          this.#use.placeEdges ? placeCandidates(image, candidates, limits) : candidates,
        stage: ({ frame }, sampling) => ({
          frame,
          coordinates: this.coordinates,
          profile: this.#profile,
          sampling: { ...sampling, ...defined({ numbers: this.#use.numbers }) },
        }),
        readable: (part) => this.#readable(part),
        textOf: (tokens) => this.#model.detokenize(tokens),
        contextCells: this.#use.contextCells,
        sequences: this.#sequences,
      },
      photo,
      { isKept },
    );
  }

  /** In the words of those who ask for crops, and know nothing of contexts. */
  explain(error: unknown): unknown {
    if (!(error instanceof FramewrightError) || error.code !== 'CONTEXT_FULL') return error;
    const cells = this.#use.contextCells;
    return new FramewrightError(
      'CONTEXT_FULL',
      `the conversation about this photo is too long for the ${cells} cells of the model's cache: ask for fewer ` +
        'candidates or fewer image tokens, or give the model more contextCells in its manifest',
      { cause: error },
    );
  }

  #readable(part: TranscriptPart): ConversationPart {
    if (part.kind === 'image') return { kind: 'image', image: { frame: part.image.frame, rgb: part.image.rgb } };
    const { kind, tokens } = part;
    return { kind, text: this.#model.detokenize(tokens), tokens, nTokens: tokens.length };
  }

  /** What was encoded ahead, which is then the taker's to dispose. */
  #taken(image: FrameImage): Promise<SeenImage> | undefined {
    const seen = this.#ahead.get(image);
    this.#ahead.delete(image);
    return seen;
  }

  async #encode({ rgb, frame }: FrameImage, signal?: AbortSignal): Promise<SeenImage> {
    const seen = this.#use.preprocess.positionRamps ? positionRamps(rgb, frame, this.#model.family.patchPx) : rgb;
    const start = performance.now();
    const embedding = await this.#model.encodeImage(seen, frame, signal ? { signal } : {});
    if (this.releasesEncoder) await this.#model.releaseEncoder();
    this.#encodeMs += performance.now() - start;
    this.#nImages++;
    return { rgb: seen, frame, embedding };
  }
}
