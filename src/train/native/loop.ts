import { FramewrightError } from '../../base/errors.js';
import type { LoraTrainer, TrainObjective, TrainPass, TrainSample } from '../../runtime/trainer.js';
import { writeCheckpoint, type Checkpoint, type Progress } from './checkpoint.js';
import type { CurveRow, HeldOutFigures } from './curves.js';
import type { EmbeddingStore } from './embeddings.js';
import {
  dpoFigures,
  heldOutFigures,
  meanLoss,
  meanMargin,
  nTargetsOf,
  scoreOf,
  sftFigures,
  type ItemFigures,
} from './figures.js';
import { Order } from './order.js';
import { pack } from './pack.js';
import { evaluateItem, noNumberAtStart, scoreItems } from './score-items.js';
import type { TrainingData, TrainItem } from './prepare.js';
import type { TrainKind } from './records.js';
import { learningRateAt } from './schedule.js';
import type { TrainSettings } from './settings.js';
import { everyOf } from './training-plan.js';

export interface LoopOptions {
  readonly kind: TrainKind;
  readonly trainer: LoraTrainer;
  readonly data: TrainingData;
  readonly embeddings: EmbeddingStore;
  readonly settings: TrainSettings;
  readonly nSteps: number;
  readonly identity: Progress['identity'];
  readonly checkpointFile: string;
  readonly onStage?: (what: 'references' | 'heldOut', done: number, total: number) => void;
  /** Every step; `progress` is what a checkpoint would hold now. */
  readonly onStep?: (row: CurveRow, progress: Progress) => void;
  /** After a checkpoint was written. */
  readonly onCheckpoint?: (progress: Progress) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** What a run came to. */
export interface LoopResult {
  readonly progress: Progress;
  /** Of each that is held out, as the model began and as it ended. */
  readonly before: readonly ItemFigures[];
  readonly after: readonly ItemFigures[];
}

/**
 * Trains from the trainer's present adapter, or on from a checkpoint. References are that adapter's own: at the first step
 * it is what the reference is. An abort ends with a checkpoint after the last whole step.
 */
export async function runLoop(options: LoopOptions, from?: Checkpoint): Promise<LoopResult> {
  const loop = new Loop(options);
  return loop.run(from);
}

class Loop {
  readonly #options: LoopOptions;
  readonly #order: Order;
  #references: Progress['references'] = { train: [], heldOut: [] };
  #rows: CurveRow[] = [];
  #margins: number[] = [];
  #before: HeldOutFigures | undefined;
  #look: { readonly step: number; readonly items: readonly ItemFigures[] } | undefined;
  #step = 0;
  /** Of earlier runs, and when this one began. */
  #secondsBefore = 0;
  readonly #startedAt = performance.now();

  constructor(options: LoopOptions) {
    this.#options = options;
    const { data, settings } = options;
    this.#order = new Order(data.train.length, settings.batchSize, settings.seed);
  }

  async run(from: Checkpoint | undefined): Promise<LoopResult> {
    const { trainer, data, signal } = this.#options;
    // The adapter is still the one the run began with, also where a checkpoint goes on.
    if (from) this.#goOnFrom(from.progress);
    else if (this.#isDpo) {
      const visited = this.#order.visited(this.#options.nSteps);
      this.#references = {
        train: await this.#scoresOf(data.train, visited),
        heldOut: await this.#scoresOf(data.heldOut),
      };
    }
    const before = await this.#lookAtHeldOut();
    this.#before = this.#figuresOf(before);
    if (from) {
      await trainer.write(from.state);
      this.#look = undefined;
    }
    try {
      while (this.#step < this.#options.nSteps) await this.#takeStep();
    } catch (error) {
      if (signal?.aborted) await this.#save();
      throw error;
    }
    const after = await this.#lookAtHeldOut();
    await this.#save();
    return { progress: this.#progress(), before, after };
  }

  get #isDpo(): boolean {
    return this.#options.kind === 'dpo';
  }

  #goOnFrom({ references, rows, step, seconds }: Progress): void {
    this.#references = references;
    this.#rows = [...rows];
    this.#step = step;
    this.#secondsBefore = seconds;
  }

  #progress(): Progress {
    return {
      identity: this.#options.identity,
      step: this.#step,
      references: this.#references,
      before: this.#before,
      rows: [...this.#rows],
      margins: this.#margins,
      seconds: this.#seconds(),
    };
  }

  #seconds(): number {
    return this.#secondsBefore + (performance.now() - this.#startedAt) / 1000;
  }

  async #takeStep(): Promise<void> {
    const { trainer, data, settings, nSteps, signal } = this.#options;
    const batch = this.#order.batch(this.#step);
    const samples = await Promise.all(batch.map((i) => this.#pack(data.train[i]!)));
    const nTargets = samples.reduce((sum, sample) => sum + nTargetsOf(sample), 0);
    await trainer.clearGradients();
    const figures: ItemFigures[] = [];
    for (const [i, sample] of samples.entries()) {
      signal?.throwIfAborted();
      const reference = this.#references.train[batch[i]!] ?? 0;
      const objective: TrainObjective = this.#isDpo
        ? { weight: 1 / samples.length, beta: settings.beta, reference }
        : { weight: 1 / nTargets, beta: 0, reference: 0 };
      const pass = await trainer.accumulate(sample, objective, signal ? { signal } : {});
      this.#requireNumbers(pass);
      figures.push(this.#itemFigures(sample, pass, reference));
    }
    const { beta1, beta2, epsilon } = ADAMW;
    const nWarmup = Math.round(settings.warmup * nSteps);
    const learningRate = learningRateAt(this.#step, { learningRate: settings.learningRate, nSteps, nWarmup });
    const { weightDecay, clipNorm } = settings;
    const gradientNorm = await trainer.step({ learningRate, beta1, beta2, epsilon, weightDecay, clipNorm });
    if (!Number.isFinite(gradientNorm)) throw this.#diverged('the gradient');
    this.#step++;
    await this.#endStep(figures, learningRate, gradientNorm, samples);
  }

  async #endStep(
    figures: readonly ItemFigures[],
    learningRate: number,
    gradientNorm: number,
    samples: readonly TrainSample[],
  ): Promise<void> {
    const { data, settings, nSteps } = this.#options;
    const isLook = this.#step % everyOf(settings, nSteps) === 0 || this.#step === nSteps;
    const heldOut = isLook ? this.#figuresOf(await this.#lookAtHeldOut()) : undefined;
    const row: CurveRow = {
      step: this.#step,
      epoch: (this.#step * settings.batchSize) / data.train.length,
      learningRate,
      ...meanLoss(figures),
      ...(this.#isDpo ? { margin: meanMargin(figures, settings.beta) } : {}),
      gradientNorm,
      nTokens: samples.reduce((sum, { tokens }) => sum + tokens.length, 0),
      seconds: this.#seconds(),
      ...(heldOut ? { heldOut } : {}),
    };
    this.#rows.push(row);
    this.#options.onStep?.(row, this.#progress());
    if (isLook) await this.#save();
  }

  async #save(): Promise<void> {
    const { trainer, checkpointFile, onCheckpoint } = this.#options;
    const progress = this.#progress();
    await writeCheckpoint(checkpointFile, { progress, state: await trainer.read() });
    await onCheckpoint?.(progress);
  }

  #scoresOf(items: readonly TrainItem[], wanted?: ReadonlySet<number>): Promise<number[]> {
    const { onStage } = this.#options;
    return scoreItems(this.#options, items, (done, total) => onStage?.('references', done, total), wanted);
  }

  /** Looks once at each step, however often it is asked. */
  async #lookAtHeldOut(): Promise<readonly ItemFigures[]> {
    if (this.#look?.step !== this.#step) this.#look = { step: this.#step, items: await this.#newLook() };
    return this.#look.items;
  }

  async #newLook(): Promise<ItemFigures[]> {
    const { data } = this.#options;
    // What the reference says is what the model says that the run begins with.
    if (this.#isDpo && this.#before === undefined) {
      const { beta } = this.#options.settings;
      return this.#references.heldOut.map((score) => dpoFigures(score, beta, score));
    }
    const figures: ItemFigures[] = [];
    for (const [i, item] of data.heldOut.entries()) {
      const { sample, pass } = await evaluateItem(this.#options, item);
      this.#requireNumbers(pass);
      figures.push(this.#itemFigures(sample, pass, this.#references.heldOut[i] ?? 0));
      this.#options.onStage?.('heldOut', figures.length, data.heldOut.length);
    }
    return figures;
  }

  #figuresOf(items: readonly ItemFigures[]): HeldOutFigures | undefined {
    if (this.#isDpo) this.#margins = items.map(({ score, reference }) => score - reference);
    return items.length === 0
      ? undefined
      : heldOutFigures(items, this.#isDpo ? this.#options.settings.beta : undefined);
  }

  #itemFigures(sample: TrainSample, pass: TrainPass, reference: number): ItemFigures {
    return this.#isDpo
      ? dpoFigures(scoreOf(sample, pass), this.#options.settings.beta, reference)
      : sftFigures(sample, pass);
  }

  #pack(item: TrainItem): Promise<TrainSample> {
    return pack(item.tokens, (image) => this.#options.embeddings.rowsOf(image));
  }

  #requireNumbers({ logProbs }: TrainPass): void {
    if (!logProbs.every(Number.isFinite)) throw this.#diverged('the loss');
  }

  #diverged(what: string): FramewrightError {
    if (this.#step === 0) return noNumberAtStart(what);
    return new FramewrightError(
      'TRAINING_FAILED',
      `${what} is no number at step ${this.#step + 1}: take a lower learning rate; ` +
        `${this.#options.checkpointFile} still holds the last checkpoint before`,
    );
  }
}

/** torch.optim.AdamW's defaults. */
const ADAMW = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
