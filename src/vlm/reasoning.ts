import { defined } from '../base/defined.js';
import { clamp, type Box } from '../base/geometry.js';
import type { Element } from '../base/schema.js';
import type { Stage } from '../base/stages.js';
import type {
  Analysed,
  Decided,
  Decision,
  EngineCall,
  EngineSteps,
  EngineTarget,
  Proposed,
  TargetWork,
} from '../engines/engine.js';
import type { ProposedBox } from '../engines/limits.js';
import type { ThoughtStage } from '../engines/thought.js';
import { analyse } from './analyse/analyse.js';
import type { Branch } from './branch-cache.js';
import type { ConversationTree, ProposalInput } from './conversation-tree.js';
import { decide, firstProposed } from './decide/decide.js';
import type { Conversation, SeenImage } from './prompt/conversation.js';
import { requireDispensable } from './prompt/dispensable.js';
import { fixedCandidates } from './propose/fixed-candidates.js';
import { propose, type ProposalRequest } from './propose/propose.js';
import { rank } from './propose/rank.js';
import { askBox } from './one-box/ask-box.js';
import { boxCells, proposalCells, voteCells } from './room.js';
import { showAgain, showPhoto } from './show.js';
import { spaceOf, type StageContext } from './stage.js';
import { ThoughtTeller } from './thought-teller.js';
import { inWaves } from './waves.js';

/** The photo with its analysis, or without where that is done without. */
type AnalysedBranch = Analysed & { readonly photo: Branch<SeenImage>; readonly analysis?: Branch<Element[]> };

/** The user's turn in which the proposal will be asked for, with what there is to see in it. */
type EnhancedBranch = Analysed & Branch<ProposalInput>;

/** Candidates to decide on in the conversation; or what was decided on the same question before. */
type ProposedBranch = Proposed &
  ((Analysed & { readonly chat: Conversation; readonly question: string }) | { readonly known: Decided });

/** What is told of a step with all it says. */
interface Step {
  readonly stage: ThoughtStage;
  readonly isEnhanced?: boolean;
  readonly target?: EngineTarget;
}

/** The steps of CROP as one conversation: each goes on from where the one before it stands in the photo's tree. */
export class Reasoning implements EngineSteps {
  readonly #tree: ConversationTree;
  readonly #call: EngineCall;
  readonly #stage: StageContext;
  readonly #without: readonly Stage[];
  readonly #release: () => Promise<void>;
  #votesAtOnce = 1;

  /** @param release lets go of the tree, where it is this call's alone */
  constructor(tree: ConversationTree, call: EngineCall, release: () => Promise<void> = () => Promise.resolve()) {
    this.#tree = tree;
    this.#call = call;
    this.#stage = tree.model.stage(tree.photo, call.sampling);
    this.#without = call.request.without ?? [];
    requireDispensable(this.#stage.profile, this.#without);
    this.#release = release;
  }

  async analyse(): Promise<AnalysedBranch> {
    this.#begin(this.#first);
    const { timings } = this.#call;
    const photo = await this.#show();
    if (!this.#has('analysis')) return { elements: [], photo };
    const analysis = await this.#tree.analysed.goOn('analysis', photo, (chat) =>
      timings.measure('analyse', () => this.#heard(chat, { stage: 'analyse' }, () => analyse(chat, this.#stage))),
    );
    return { elements: analysis.value, photo, analysis };
  }

  async enhance({ elements, photo, analysis }: AnalysedBranch): Promise<EnhancedBranch> {
    if (!analysis) return { elements, chat: photo.chat, value: { elements, isPlain: true } };
    // One that was trained without it goes on from what it said.
    if (!this.#stage.profile.stages.includes('enhancement'))
      return { elements, chat: analysis.chat, value: { elements, isPlain: true } };
    this.#begin(this.#second);
    const { timings, sampling } = this.#call;
    const { model, photo: image, inputs } = this.#tree;
    if (!this.#has('enhancement')) {
      const plain = await inputs.goOn('plain', analysis, async (chat) => {
        await timings.measure(this.#second, () =>
          this.#heard(chat, { stage: this.#second }, () => showAgain(chat, photo.value, this.#stage)),
        );
        return { elements, isPlain: true };
      });
      return { elements, ...plain };
    }
    const drawn = await inputs.goOn('drawn', analysis, async (chat) => {
      const rgb = await timings.measure('enhance', () => model.enhance(image, elements));
      await timings.measure(this.#second, async () => {
        const seen = await model.encode({ rgb, frame: image.frame }, sampling.signal);
        using _embedding = seen.embedding;
        await this.#heard(chat, { stage: this.#second, isEnhanced: true }, () => showAgain(chat, seen, this.#stage));
      });
      return { elements, isPlain: false };
    });
    return { elements, ...drawn };
  }

  async forEachTarget<R>(enhanced: EnhancedBranch, work: TargetWork<R>): Promise<R[]> {
    const { targetsAtOnce, votesAtOnce } = this.#room(enhanced);
    this.#votesAtOnce = votesAtOnce;
    return inWaves(enhanced.chat, [...this.#call.targets.entries()], targetsAtOnce, (chat, [i, target]) => {
      const from: EnhancedBranch = { ...enhanced, chat };
      return work(from, target, i);
    });
  }

  async propose(from: EnhancedBranch, target: EngineTarget): Promise<ProposedBranch> {
    const { model, photo, proposals, answers } = this.#tree;
    const asked = this.#requestFor(from.value, target);
    const question = JSON.stringify([asked, this.#call.request.votes, this.#without]);
    const known = answers.get(question);
    if (known) return { candidates: known.candidates, known: known.decided };
    if (this.#without.includes('proposal')) {
      const { chat, elements } = from;
      return { chat, question, elements, candidates: fixedCandidates(spaceOf(this.#stage), asked.count) };
    }
    const stagesBefore = this.#without.filter((name) => name === 'analysis' || name === 'enhancement');
    const { oneBox } = this.#stage.profile;
    const proposed = await proposals.goOn(JSON.stringify([asked, stagesBefore]), from, (chat) =>
      this.#heard(chat, { stage: this.#second, target }, () =>
        oneBox
          ? target.timings.measure('decide', async () => [await askBox(chat, asked, oneBox, this.#stage)])
          : target.timings.measure('propose', async () =>
              model.placeEdges(photo, await propose(chat, asked, this.#stage), asked.limits),
            ),
      ),
    );
    return { chat: proposed.chat, question, elements: from.elements, candidates: proposed.value };
  }

  async decide(proposed: ProposedBranch, target: EngineTarget): Promise<Decided> {
    this.#begin('decide', target);
    if ('known' in proposed) return proposed.known;
    const { candidates, elements, chat: from, question } = proposed;
    const decided = await this.#atEnd(from, async (chat) => {
      const { votes } = this.#call.request;
      const decision = this.#stage.profile.oneBox
        ? onlyBox(candidates[0]!)
        : this.#without.includes('decision')
          ? firstProposed(candidates)
          : await target.timings.measure('decide', () =>
              this.#heard(chat, { stage: 'decide', target }, () =>
                decide(chat, candidates, votes, this.#stage, { elements, atOnce: this.#votesAtOnce }),
              ),
            );
      return { decision, conversation: () => chat.transcript.map((part) => this.#tree.model.readable(part)) };
    });
    this.#tree.remember(question, candidates, decided);
    return decided;
  }

  async rank({ chat: from, value }: EnhancedBranch, boxesInFrame: readonly Box[]): Promise<number[]> {
    const { ranks, isKept } = this.#tree;
    const question = JSON.stringify([boxesInFrame, this.#without]);
    const known = ranks.get(question);
    if (known) return [...known];
    const logLikelihoods = await this.#atEnd(from, (chat) =>
      this.#call.timings.measure('rank', () => rank(chat, boxesInFrame, this.#stage, value.isPlain)),
    );
    if (isKept) ranks.set(question, logLikelihoods);
    return [...logLikelihoods];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#release();
  }

  /** A stage the model was trained with, and that is not to be done without. */
  #has(stage: Stage): boolean {
    return this.#stage.profile.stages.includes(stage) && !this.#without.includes(stage);
  }

  /** What the photo is first looked at for. */
  get #first(): 'analyse' | 'decide' {
    return this.#stage.profile.stages.includes('analysis') ? 'analyse' : 'decide';
  }

  /** What the redrawn photo is looked at for. */
  get #second(): 'propose' | 'decide' {
    return this.#stage.profile.oneBox ? 'decide' : 'propose';
  }

  #show(): Promise<Branch<SeenImage>> {
    const { model, photo, root, shown, isKept } = this.#tree;
    return shown.goOn('photo', { chat: root }, (chat) =>
      this.#call.timings.measure(this.#first, async () => {
        const seen = await model.encode(photo, this.#call.sampling.signal);
        let isTaken = false;
        try {
          await this.#heard(chat, { stage: this.#first }, () => showPhoto(chat, seen, this.#stage));
          isTaken = isKept;
        } finally {
          if (!isTaken) seen.embedding.dispose();
        }
        return seen;
      }),
    );
  }

  #begin(stage: ThoughtStage, target?: EngineTarget): void {
    this.#call.onProgress?.(stage);
    this.#call.onThought?.({ kind: 'stage', stage }, target);
  }

  /** Takes a step in a conversation, telling the call's listener, where it has one, what is given and said in it. */
  async #heard<R>(chat: Conversation, { stage, isEnhanced, target }: Step, step: () => Promise<R>): Promise<R> {
    const { onThought } = this.#call;
    if (!onThought) return step();
    const teller = new ThoughtTeller({
      ...{ stage, ...defined({ isEnhanced }), textOf: this.#tree.model.textOf },
      tell: (thought) => {
        onThought(thought, target);
      },
    });
    chat.listener = teller;
    try {
      const result = await step();
      teller.end();
      return result;
    } finally {
      chat.listener = undefined;
    }
  }

  #requestFor({ isPlain, elements }: ProposalInput, { limits, aspect }: EngineTarget): ProposalRequest {
    const { count, instruct } = this.#call.request;
    return { count, limits, isPlain, elements, ...defined({ aspect }), ...(instruct ? { instruct } : {}) };
  }

  /** The last step of a call: what it says stays in no one's way. */
  async #atEnd<R>(from: Conversation, step: (chat: Conversation) => Promise<R>): Promise<R> {
    if (!this.#tree.isKept) return step(from);
    await using branch = await from.fork();
    return await step(branch);
  }

  /** How many targets, and votes on each, fit the cache and its sequences side by side. */
  #room({ chat, value }: EnhancedBranch): { readonly targetsAtOnce: number; readonly votesAtOnce: number } {
    const { targets, request } = this.#call;
    if (targets.length === 1 && request.votes === 1) return { targetsAtOnce: 1, votesAtOnce: 1 };
    const { sequencesLeft, model } = this.#tree;
    // A target of a kept conversation makes a branch that stays.
    const sequences = this.#tree.isKept ? Math.max(1, Math.floor(sequencesLeft / 2)) : sequencesLeft;
    const free = model.contextCells - chat.nTokens;
    const { oneBox } = this.#stage.profile;
    const proposal = Math.max(
      ...targets.map((target) => {
        const asked = this.#requestFor(value, target);
        return oneBox
          ? boxCells(asked, oneBox, this.#stage, chat.tokens)
          : proposalCells(asked, this.#stage, chat.tokens);
      }),
    );
    const vote = oneBox ? 1 : voteCells(request.count, this.#stage, chat.tokens);
    const targetsAtOnce = wholeFrom1(Math.min(free / (proposal + vote), sequences), targets.length);
    const share = free / targetsAtOnce - proposal;
    return {
      targetsAtOnce,
      votesAtOnce: wholeFrom1(Math.min(share / vote, sequences / targetsAtOnce), request.votes),
    };
  }
}

/** Of a model that was asked for nothing else, and so compared it with nothing. */
function onlyBox({ why, verdict }: ProposedBox): Decision {
  return { best: 0, why, modelScores: [1], ...(verdict && { verdict }) };
}

function wholeFrom1(value: number, most: number): number {
  return clamp(Math.floor(value), 1, most);
}
