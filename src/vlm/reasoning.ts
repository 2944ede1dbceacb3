import type { CandidateLimits } from './propose/candidate-space.js';
import type { ProposedBox } from './propose/candidates-form.js';
import type { SamplingOptions } from './answer/sampled-answer.js';
import type { Box } from '../base/geometry.js';
import type { EngineCrop, EngineRequest, EngineTarget } from '../engines/engine.js';
import type { Conversation, FrameImage, SeenImage } from './prompt/conversation.js';
import type { Element } from '../base/schema.js';
import type { Stage } from '../base/stages.js';
import { analyse } from './analyse/analyse.js';
import { proposalCells, voteCells } from './room.js';
import { decide, firstProposed } from './decide/decide.js';
import { fixedCandidates } from './propose/fixed-candidates.js';
import { propose, type ProposalRequest } from './propose/propose.js';
import { rank } from './propose/rank.js';
import { showAgain, showPhoto } from './show.js';
import type { StageContext } from './stage.js';
import { inWaves } from './waves.js';
import type { Timings } from '../base/timings.js';

/** What reasoning needs of its engine. */
export interface ReasoningModel {
  open(): Conversation;
  /** Through the vision tower; the embedding is the caller's to dispose. */
  look(photo: FrameImage, signal?: AbortSignal): Promise<SeenImage>;
  /** Eq. (2). */
  enhance(photo: FrameImage, elements: readonly Element[]): Promise<Uint8Array>;
  stage(photo: FrameImage, sampling: SamplingOptions): StageContext;
  /** Candidates as they are put to the decision. */
  place(photo: FrameImage, candidates: readonly ProposedBox[], limits: CandidateLimits): readonly ProposedBox[];
  /** Cells of the cache that one conversation may take. */
  readonly contextCells: number;
  /** Sequences it may take, its own included. */
  readonly sequences: number;
}

/** Where a conversation stands after a step, and what the step gave. */
interface Place<T> {
  readonly chat: Conversation;
  readonly value: T;
}

/** What the proposal is asked of: the elements, and whether the image it looks at goes without them. */
interface Ground {
  readonly elements: Element[];
  readonly isPlain: boolean;
}

/** How one call goes about it. */
interface Call {
  readonly stage: StageContext;
  readonly timings: Timings;
  readonly without: readonly Stage[];
  readonly onProgress?: ((stage: string) => void) | undefined;
}

/**
 * CROP's stages on one photo, as a tree of conversations in one KV cache. Used once, each step goes on in the conversation
 * of the one before. Kept, each step goes on in a fork and stays, so that a later call that begins with the same steps
 * has them done, and the same call gives the same answer; calls of a kept one must not overlap, and take the most probable
 * answer (temperature 0).
 */
export class Reasoning implements AsyncDisposable {
  readonly #model: ReasoningModel;
  readonly #photo: FrameImage;
  readonly #isKept: boolean;
  readonly #shown: Shelf<SeenImage>;
  readonly #analysed: Shelf<Element[]>;
  readonly #grounds: Shelf<Ground>;
  readonly #proposals: Shelf<readonly ProposedBox[]>;
  /** Answers of a kept one by what was asked. Computed again, in a cache that holds more by now, they would be rounded otherwise. */
  readonly #crops = new Map<string, EngineCrop>();
  readonly #ranks = new Map<string, readonly number[]>();
  #root: Conversation | undefined;

  constructor(model: ReasoningModel, photo: FrameImage, { isKept }: { readonly isKept: boolean }) {
    this.#model = model;
    this.#photo = photo;
    this.#isKept = isKept;
    this.#shown = new Shelf(isKept);
    this.#analysed = new Shelf(isKept);
    this.#grounds = new Shelf(isKept);
    // The steps before it are few; proposals are as many as there are variants, and leaves of the tree but for decisions.
    this.#proposals = new Shelf(isKept, model.contextCells);
  }

  /** Stage 1 only. */
  async analyse(sampling: SamplingOptions, timings: Timings): Promise<Element[]> {
    const stage = this.#model.stage(this.#photo, sampling);
    const call = { stage, timings, without: [] };
    return (await this.#analyse(await this.#show(call), call)).value;
  }

  /**
   * All three stages: one analysis and one enhanced image for all targets, which then go on as parallel sequences, as many
   * as there is room for.
   */
  async crop(
    targets: readonly EngineTarget[],
    request: EngineRequest,
    sampling: SamplingOptions,
    timings: Timings,
    readable: (chat: Conversation) => EngineCrop['conversation'],
    onProgress?: (stage: string) => void,
  ): Promise<{ elements: Element[]; crops: EngineCrop[] }> {
    const { without = [] } = request;
    const stage = this.#model.stage(this.#photo, sampling);
    const call: Call = { stage, timings, without, onProgress };
    const ground = await this.#ground(call);
    const { targetsAtOnce, votesAtOnce } = this.#room(ground, targets, request, stage);
    const crops = await inWaves(ground.chat, targets, targetsAtOnce, (chat, target): Promise<EngineCrop> => {
      const question = [requestOf(ground.value, target, request), request.votes, without];
      return this.#answer(this.#crops, question, async () => {
        const from = { chat, value: ground.value };
        const own = { ...call, timings: target.timings };
        const proposed = without.includes('proposal')
          ? { chat: from.chat, value: fixedCandidates(stage.frame, request.count) }
          : await this.#propose(from, target, request, own);
        onProgress?.('decide');
        return this.#atEnd(proposed, async (chat) => {
          const candidates = proposed.value;
          const decision = without.includes('decision')
            ? firstProposed(candidates)
            : await own.timings.measure('decide', () => decide(chat, candidates, request.votes, stage, votesAtOnce));
          const conversation = readable(chat);
          return { candidates, decision, ...(conversation ? { conversation } : {}) };
        });
      });
    });
    return { elements: ground.value.elements, crops };
  }

  /** Log-likelihood of each box (in the frame) as the first proposal for the enhanced photo. */
  async rank(
    boxesInFrame: readonly Box[],
    sampling: SamplingOptions,
    timings: Timings,
    without: readonly Stage[] = [],
  ): Promise<number[]> {
    const stage = this.#model.stage(this.#photo, sampling);
    const ground = await this.#ground({ stage, timings, without });
    const ranks = await this.#answer(this.#ranks, [boxesInFrame, without], () =>
      this.#atEnd(ground, (chat) =>
        timings.measure('rank', () => rank(chat, boxesInFrame, stage, ground.value.isPlain)),
      ),
    );
    return [...ranks];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const place of await this.#shown.places()) place.value.embedding.dispose();
    for (const shelf of [this.#proposals, this.#grounds, this.#analysed, this.#shown]) await shelf.clear();
    await this.#root?.dispose();
  }

  #show({ stage, timings, onProgress }: Call): Promise<Place<SeenImage>> {
    this.#root ??= this.#model.open();
    onProgress?.('analyse');
    return this.#shown.goOn('photo', { chat: this.#root }, (chat) =>
      timings.measure('analyse', async () => {
        const seen = await this.#model.look(this.#photo, stage.sampling.signal);
        let isKept = false;
        try {
          await showPhoto(chat, seen, stage);
          isKept = this.#isKept;
        } finally {
          if (!isKept) seen.embedding.dispose();
        }
        return seen;
      }),
    );
  }

  #analyse(photo: Place<SeenImage>, { stage, timings }: Call): Promise<Place<Element[]>> {
    return this.#analysed.goOn('analysis', photo, (chat) => timings.measure('analyse', () => analyse(chat, stage)));
  }

  /** The user's turn in which the proposal will be asked for, with what there is to see in it. */
  async #ground(call: Call): Promise<Place<Ground>> {
    const { stage, timings, without, onProgress } = call;
    const photo = await this.#show(call);
    if (without.includes('analysis')) return { chat: photo.chat, value: { elements: [], isPlain: true } };
    const analysed = await this.#analyse(photo, call);
    const elements = analysed.value;
    onProgress?.('propose');
    if (without.includes('enhancement')) {
      return this.#grounds.goOn('plain', analysed, async (chat) => {
        await timings.measure('propose', () => showAgain(chat, photo.value, stage));
        return { elements, isPlain: true };
      });
    }
    return this.#grounds.goOn('drawn', analysed, async (chat) => {
      const rgb = await timings.measure('enhance', () => this.#model.enhance(this.#photo, elements));
      await timings.measure('propose', async () => {
        const seen = await this.#model.look({ rgb, frame: this.#photo.frame }, stage.sampling.signal);
        using _embedding = seen.embedding;
        await showAgain(chat, seen, stage);
      });
      return { elements, isPlain: false };
    });
  }

  #propose(
    ground: Place<Ground>,
    target: EngineTarget,
    request: EngineRequest,
    { stage, timings, without }: Call,
  ): Promise<Place<readonly ProposedBox[]>> {
    const asked = requestOf(ground.value, target, request);
    const key = JSON.stringify([asked, without.filter((name) => name === 'analysis' || name === 'enhancement')]);
    return this.#proposals.goOn(key, ground, (chat) =>
      timings.measure('propose', async () =>
        this.#model.place(this.#photo, await propose(chat, asked, stage), asked.limits),
      ),
    );
  }

  async #answer<R>(answers: Map<string, R>, question: unknown, work: () => Promise<R>): Promise<R> {
    if (!this.#isKept) return work();
    const key = JSON.stringify(question);
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = await work();
    answers.set(key, answer);
    return answer;
  }

  /** The last step of a call: what it says stays in no one's way. */
  async #atEnd<R>({ chat }: Place<unknown>, work: (chat: Conversation) => Promise<R>): Promise<R> {
    if (!this.#isKept) return work(chat);
    await using branch = await chat.fork();
    return await work(branch);
  }

  /** How many targets, and votes on each, fit the cache and its sequences side by side. */
  #room(
    { chat, value }: Place<Ground>,
    targets: readonly EngineTarget[],
    request: EngineRequest,
    stage: StageContext,
  ): { readonly targetsAtOnce: number; readonly votesAtOnce: number } {
    if (targets.length === 1 && request.votes === 1) return { targetsAtOnce: 1, votesAtOnce: 1 };
    const { contextCells, sequences } = this.#model;
    const free = contextCells - chat.nTokens;
    const proposal = Math.max(
      ...targets.map((target) => proposalCells(requestOf(value, target, request), stage, chat.tokens)),
    );
    const vote = voteCells(request.count, stage, chat.tokens);
    const targetsAtOnce = clamp(Math.min(free / (proposal + vote), sequences), 1, targets.length);
    const share = free / targetsAtOnce - proposal;
    return { targetsAtOnce, votesAtOnce: clamp(Math.min(share / vote, sequences / targetsAtOnce), 1, request.votes) };
  }
}

function requestOf(
  { isPlain }: Ground,
  { limits, aspect }: EngineTarget,
  { count, instruction }: EngineRequest,
): ProposalRequest {
  return { count, limits, isPlain, ...(aspect ? { aspect } : {}), ...(instruction ? { instruction } : {}) };
}

/** The greatest whole number up to `value`, at least `least`, at most `most`. */
function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, Math.floor(value)));
}

/** Steps that were done, by what was asked; the least recently used go where all of them take more than `maxCells`. */
class Shelf<T> {
  readonly #isKept: boolean;
  readonly #maxCells: number;
  readonly #places = new Map<string, Promise<Place<T> & { readonly nCells: number }>>();

  constructor(isKept: boolean, maxCells = Infinity) {
    this.#isKept = isKept;
    this.#maxCells = maxCells;
  }

  /** Does a step in a fork of the conversation and keeps it, or has it done already; not kept, in the conversation itself. */
  async goOn(
    key: string,
    from: { readonly chat: Conversation },
    work: (chat: Conversation) => Promise<T>,
  ): Promise<Place<T>> {
    if (!this.#isKept) return { chat: from.chat, value: await work(from.chat) };
    const known = this.#places.get(key);
    const place = known ?? branchOf(from.chat, work);
    this.#places.delete(key);
    this.#places.set(key, place); // the most recently used is the last
    try {
      await place;
    } catch (error) {
      this.#places.delete(key);
      throw error;
    }
    await this.#makeRoom();
    return place;
  }

  places(): Promise<Place<T>[]> {
    return Promise.all(this.#places.values());
  }

  async clear(): Promise<void> {
    const places = await this.places();
    this.#places.clear();
    await Promise.all(places.map(({ chat }) => chat.dispose()));
  }

  async #makeRoom(): Promise<void> {
    const kept = await Promise.all([...this.#places].map(async ([key, place]) => ({ key, ...(await place) })));
    let nCells = kept.reduce((sum, place) => sum + place.nCells, 0);
    for (const { key, chat, nCells: freed } of kept.slice(0, -1)) {
      if (nCells <= this.#maxCells) return;
      nCells -= freed;
      this.#places.delete(key);
      await chat.dispose();
    }
  }
}

async function branchOf<T>(
  from: Conversation,
  work: (chat: Conversation) => Promise<T>,
): Promise<Place<T> & { nCells: number }> {
  const chat = await from.fork();
  try {
    const value = await work(chat);
    return { chat, value, nCells: chat.nTokens - from.nTokens };
  } catch (error) {
    await chat.dispose();
    throw error;
  }
}
