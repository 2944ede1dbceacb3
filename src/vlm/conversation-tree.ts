import type { Element } from '../base/schema.js';
import type { Analysed, ConversationPart, Decided, Proposed, SamplingOptions } from '../engines/engine.js';
import type { FrameImage } from '../engines/frame-image.js';
import type { CandidateLimits, ProposedBox } from '../engines/limits.js';
import { BranchCache } from './branch-cache.js';
import type { Conversation, SeenImage, TranscriptPart } from './prompt/conversation.js';
import type { StageContext } from './stage.js';

/** What reasoning needs of its engine. */
export interface ReasoningModel {
  open(): Conversation;
  /** Through the vision tower; the embedding is the caller's to dispose. */
  encode(photo: FrameImage, signal?: AbortSignal): Promise<SeenImage>;
  /** Eq. (2). */
  enhance(photo: FrameImage, elements: readonly Element[]): Promise<Uint8Array>;
  stage(photo: FrameImage, sampling: SamplingOptions): StageContext;
  /** Candidates as they are put to the decision. */
  placeEdges(photo: FrameImage, candidates: readonly ProposedBox[], limits: CandidateLimits): readonly ProposedBox[];
  readable(part: TranscriptPart): ConversationPart;
  /** Special tokens are spelled out. */
  readonly textOf: (tokens: readonly number[]) => string;
  /** Cells of the cache that one conversation may take. */
  readonly contextCells: number;
  /** Sequences it may take, its own included. */
  readonly sequences: number;
}

/** What the proposal is asked of: the elements, and whether the image it looks at goes without them. */
export interface ProposalInput extends Analysed {
  readonly isPlain: boolean;
}

/**
 * What one photo's conversation has come to, as a tree in one KV cache. Used once, each step goes on in the conversation of
 * the one before. Kept, each step goes on in a fork and stays, so that a later call that begins with the same steps has
 * them done, and the same call gives the same answer; calls of a kept one must not overlap, and take the most probable answer (temperature 0).
 */
export class ConversationTree implements AsyncDisposable {
  readonly model: ReasoningModel;
  readonly photo: FrameImage;
  readonly isKept: boolean;
  readonly shown: BranchCache<SeenImage>;
  readonly analysed: BranchCache<Element[]>;
  readonly inputs: BranchCache<ProposalInput>;
  readonly proposals: BranchCache<readonly ProposedBox[]>;
  /** Answers of a kept one by what was asked. Computed again, in a cache that holds more by now, they would be rounded otherwise. */
  readonly answers = new Map<string, Proposed & { readonly decided: Decided }>();
  readonly ranks = new Map<string, readonly number[]>();
  #root: Conversation | undefined;

  constructor(model: ReasoningModel, photo: FrameImage, { isKept }: { readonly isKept: boolean }) {
    this.model = model;
    this.photo = photo;
    this.isKept = isKept;
    this.shown = new BranchCache(isKept);
    this.analysed = new BranchCache(isKept);
    this.inputs = new BranchCache(isKept);
    // The steps before it are few; proposals are as many as there are variants, and leaves of the tree but for decisions.
    this.proposals = new BranchCache(isKept, {
      maxCells: model.contextCells,
      maxBranches: Math.max(1, Math.floor(model.sequences / 4)),
    });
  }

  get root(): Conversation {
    this.#root ??= this.model.open();
    return this.#root;
  }

  /** Sequences left for what goes on from here side by side. */
  get sequencesLeft(): number {
    const caches = [this.shown, this.analysed, this.inputs, this.proposals];
    const nKept = caches.reduce((sum, { size }) => sum + size, 0);
    return Math.max(1, this.model.sequences - nKept);
  }

  remember(question: string, candidates: readonly ProposedBox[], decided: Decided): void {
    if (this.isKept) this.answers.set(question, { candidates, decided });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const branch of await this.shown.branches()) branch.value.embedding.dispose();
    for (const cache of [this.proposals, this.inputs, this.analysed, this.shown]) await cache.clear();
    await this.#root?.dispose();
  }
}
