import { existsSync } from 'node:fs';
import path from 'node:path';
import { FAMILIES, GgufError, requireValidPair, type NumberPolicy } from '../../../gguf/index.js';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { fileSha256 } from '../../files/file-hash.js';
import { makeFolder } from '../../files/make-folder.js';
import { checkOutput, checkOutputFolder, writeFileAtomic } from '../../files/write.js';
import { loadRunnable } from '../../model/load.js';
import { resolveModel, type ResolvedModel } from '../../model/resolve.js';
import { openRuntime, type Runtime } from '../../runtime/runtime.js';
import { usableCores } from '../../runtime/threads.js';
import type { GpuChoice } from '../../runtime/types.js';
import { newAdapter, openAdapter, writeAdapter, type StoredAdapter } from './adapter-file.js';
import { readCheckpoint, requireSameRun, type Checkpoint, type Progress } from './checkpoint.js';
import { curvesCsv, type CurveRow } from './curves.js';
import { EmbeddingStore } from './embeddings.js';
import { changeOf, dpoFigures, type Change, type ItemFigures } from './figures.js';
import { scoreItems } from './score-items.js';
import { runLoop } from './loop.js';
import { imagesOf } from './pieces.js';
import { readTrainingData, type TrainingData } from './prepare.js';
import type { TrainKind } from './records.js';
import { Renderer } from './render.js';
import { settleSettings, type TrainSettings } from './settings.js';
import type { LoraTrainer } from '../../runtime/trainer.js';
import { planTraining, requireFit, trainerOptionsOf, type PlanRequest, type TrainingPlan } from './training-plan.js';
import { trainingPage } from './training-page.js';

export interface TrainAdapterOptions {
  readonly kind: TrainKind;
  /** A folder that `train export` wrote. */
  readonly folder: string;
  /** Photos of it that nothing is learnt from, by the names of their images. */
  readonly leaveOut?: ReadonlySet<string>;
  /** The adapter's file, .gguf. What belongs to the run lies beside it, in `<output without .gguf>-training/`. */
  readonly output: string;
  /** Where to keep what the vision tower makes of the photos, which runs on the same data can share. Default: with the run. */
  readonly embeddings?: string;
  /** As for cropping. Default `nano`. */
  readonly model?: string;
  readonly mmproj?: string;
  /** An adapter to go on from; for DPO it is the reference too. Its rank and alpha are kept. */
  readonly lora?: string;
  readonly gpu?: GpuChoice;
  /** Default: the physical cores. */
  readonly threads?: number;
  readonly settings?: Partial<TrainSettings>;
  /**
   * How the numbers of its answers are to be chosen, which the adapter's file says from then on. Default: as the adapter
   * that is gone on from says.
   */
  readonly numbers?: NumberPolicy;
  /** Layers computed anew on the way back. Default: where memory does not suffice without. */
  readonly recompute?: boolean;
  /** Plans for this much main memory. Default: what is free. */
  readonly memoryBytes?: number;
  /** Go on from the run's checkpoint. */
  readonly resume?: boolean;
  /** Replace what an earlier run left. */
  readonly force?: boolean;
  /** Stop after the plan. */
  readonly dryRun?: boolean;
  readonly onPlan?: (plan: TrainingPlan, data: TrainingData) => void;
  readonly onStage?: (what: 'loading' | 'images' | 'references' | 'heldOut', done: number, total: number) => void;
  readonly onStep?: (row: CurveRow, nSteps: number) => void;
  readonly signal?: AbortSignal;
}

/** What a run left behind, and what it changed. */
export interface TrainedAdapter {
  readonly adapter: string;
  /** Curves as CSV and as a page. */
  readonly csv: string;
  readonly page: string;
  readonly nSteps: number;
  readonly seconds: number;
  readonly last: CurveRow;
  /** Over what is held out: undefined where nothing is. */
  readonly change: Change | undefined;
  /** DPO from an adapter: the same against the model without any. */
  readonly overModel: Change | undefined;
}

/** The files of a run. */
export interface RunFiles {
  readonly adapter: string;
  readonly folder: string;
  readonly checkpoint: string;
  readonly csv: string;
  readonly page: string;
  readonly embeddings: string;
}

export function runFiles(output: string): RunFiles {
  const folder = `${output.replace(/\.gguf$/i, '')}-training`;
  return {
    adapter: output,
    folder,
    checkpoint: path.join(folder, 'checkpoint.gguf'),
    csv: path.join(folder, 'curves.csv'),
    page: path.join(folder, 'curves.html'),
    embeddings: path.join(folder, 'embeddings'),
  };
}

/**
 * Learns a LoRA adapter of a model from an export folder, on this machine. Undefined after a dry run.
 *
 * @throws FramewrightError DATASET_INVALID, INPUT_NOT_FOUND, INPUT_CORRUPT, MODEL_NOT_FOUND, MODEL_INVALID,
 * MODEL_UNSUPPORTED, MODEL_TOO_LARGE, TRAINING_FAILED, OUTPUT_EXISTS, OUTPUT_WRITE, USAGE; the signal's reason, after a
 * checkpoint was written
 */
export async function trainAdapter(options: TrainAdapterOptions): Promise<TrainedAdapter | undefined> {
  const { kind, signal, output } = options;
  const files = { ...runFiles(output), ...defined({ embeddings: options.embeddings }) };
  await checkOutputs(options, files);
  const resolved = await resolveModel({
    model: options.model ?? 'nano',
    ...(options.mmproj === undefined ? {} : { mmproj: options.mmproj }),
  });
  const nEmbd = await requireTrainable(resolved, signal);
  const stored = options.lora === undefined ? undefined : await openAdapter(options.lora, resolved.textPath);
  const settings = settleSettings(kind, { ...options.settings, ...inherited(stored, options.settings) });
  const threads = options.threads ?? usableCores();

  await using runtime = await openRuntime(options.gpu === undefined ? {} : { gpu: options.gpu });
  const seen = await seeData(
    runtime,
    resolved,
    nEmbd,
    { ...options, threads, spread: settings.spread },
    files,
    (data) => {
      const plan = planTraining(runtime, planRequest(options, resolved, data, settings, threads));
      options.onPlan?.(plan, data);
      if (options.dryRun !== true) requireFit(plan);
      return plan;
    },
  );
  if (!seen) return undefined;
  const { plan, data, embeddings } = seen;
  const identity = await identityOf(options, resolved, data, settings, plan);
  const checkpoint = options.resume === true ? await readCheckpoint(files.checkpoint, signal) : undefined;
  if (checkpoint) requireSameRun(files.checkpoint, checkpoint.progress.identity, identity);
  return await learn(runtime, {
    options,
    settings,
    threads,
    files,
    resolved,
    stored,
    plan,
    data,
    embeddings,
    identity,
    checkpoint,
  });
}

interface Run {
  readonly options: TrainAdapterOptions;
  readonly settings: TrainSettings;
  readonly threads: number;
  readonly files: RunFiles;
  readonly resolved: ResolvedModel;
  readonly stored: StoredAdapter | undefined;
  readonly plan: TrainingPlan;
  readonly data: TrainingData;
  readonly embeddings: EmbeddingStore;
  readonly identity: Progress['identity'];
  readonly checkpoint: Checkpoint | undefined;
}

async function learn(runtime: Runtime, run: Run): Promise<TrainedAdapter> {
  const { options, settings, files, resolved, stored, plan, data, checkpoint } = run;
  const { kind, signal, onStage, onStep } = options;
  const trainerOptions = trainerOptionsOf({ ...run, textPath: resolved.textPath }, plan.device, plan.recompute);
  await using trainer = await runtime.openTrainer({
    ...trainerOptions,
    onProgress: (fraction) => onStage?.('loading', fraction, 1),
    ...(signal ? { signal } : {}),
  });
  const { seed, rank, alpha } = settings;
  const ofModel = kind === 'dpo' && stored ? await scoresOfModel(trainer, run) : undefined;
  const parameters = stored ? await stored.read(trainer.pairs, seed) : newAdapter(trainer.pairs, rank, seed);
  await trainer.write({ parameters });
  const publish = async (progress: Progress): Promise<void> => {
    await writeFileAtomic(files.csv, Buffer.from(curvesCsv(progress.before, progress.rows)), {
      force: true,
    });
    await writeFileAtomic(files.page, Buffer.from(await trainingPage(kind, settings, progress)), { force: true });
  };
  const { progress, before, after } = await runLoop(
    {
      ...run,
      kind,
      trainer,
      nSteps: plan.nSteps,
      checkpointFile: files.checkpoint,
      onCheckpoint: publish,
      ...(onStage ? { onStage } : {}),
      ...(onStep ? { onStep: (row) => onStep(row, plan.nSteps) } : {}),
      ...(signal ? { signal } : {}),
    },
    checkpoint,
  );
  const trained = { pairs: trainer.pairs, rank, alpha, parameters: (await trainer.read()).parameters };
  const last = progress.rows.at(-1)!;
  const facts = { ...run.identity, steps: progress.step, loss: last.loss, seconds: progress.seconds };
  const numbers = options.numbers ?? stored?.numbers;
  await writeAdapter(files.adapter, trained, { facts, ...(numbers && { numbers }) }, signal);
  return {
    adapter: files.adapter,
    csv: files.csv,
    page: files.page,
    nSteps: progress.step,
    seconds: progress.seconds,
    last,
    change: changeOfRun(kind, data, before, after),
    overModel: ofModel && changeOfRun(kind, data, ofModel, after),
  };
}

/** What the model without any adapter makes of the pairs that are held out: a new adapter changes nothing. */
async function scoresOfModel(trainer: LoraTrainer, run: Run): Promise<ItemFigures[]> {
  const { beta, rank, seed } = run.settings;
  const { onStage, signal } = run.options;
  await trainer.write({ parameters: newAdapter(trainer.pairs, rank, seed) });
  const scorer = { trainer, embeddings: run.embeddings, ...(signal ? { signal } : {}) };
  const scores = await scoreItems(scorer, run.data.heldOut, (done, total) => onStage?.('heldOut', done, total));
  return scores.map((score) => dpoFigures(score, beta, score));
}

function changeOfRun(
  kind: TrainKind,
  data: TrainingData,
  before: readonly ItemFigures[],
  after: readonly ItemFigures[],
): Change | undefined {
  if (data.heldOut.length === 0) return undefined;
  const photos = data.heldOut.map(({ photo }) => photo);
  return changeOf(kind, photos, before, after);
}

/** An adapter that is gone on from decides what it is; asking for something else is an error. */
function inherited(
  stored: StoredAdapter | undefined,
  asked: Partial<TrainSettings> = {},
): Partial<Pick<TrainSettings, 'rank' | 'alpha' | 'targets'>> {
  if (!stored) return {};
  const { rank, alpha } = stored;
  for (const [name, value] of Object.entries({ rank, alpha })) {
    const wanted = asked[name as 'rank' | 'alpha'];
    if (wanted !== undefined && wanted !== value)
      throw new FramewrightError(
        'USAGE',
        `the adapter to go on from has ${name} ${value}, not ${wanted}: leave out --${name}`,
      );
  }
  return { rank, alpha, targets: asked.targets ?? stored.targets };
}

async function checkOutputs({ output, force, resume, dryRun }: TrainAdapterOptions, files: RunFiles): Promise<void> {
  if (!/\.gguf$/i.test(output))
    throw new FramewrightError('USAGE', `${output} is no name of an adapter: let it end in .gguf`);
  if (dryRun === true) return;
  await checkOutputFolder(output);
  await checkOutput(output, { force: force === true || resume === true });
  if (existsSync(files.checkpoint) && force !== true && resume !== true)
    throw new FramewrightError(
      'OUTPUT_EXISTS',
      `${files.checkpoint} is there from an earlier run: go on with it (--resume), or replace it (--force)`,
    );
}

/** @returns the text model's width */
async function requireTrainable(resolved: ResolvedModel, signal: AbortSignal | undefined): Promise<number> {
  if (resolved.loras.length > 0)
    throw new FramewrightError(
      'MODEL_UNSUPPORTED',
      `the model ${resolved.name} comes with adapters: merge them into it first (framewright gguf lora-merge)`,
    );
  try {
    const checked = { checkNan: true, ...(signal ? { signal } : {}) };
    const { family, textSizes } = await requireValidPair(resolved.textPath, resolved.mmprojPath, checked);
    if (family === FAMILIES.qwen2vl) return textSizes.nEmbd;
    throw new GgufError(
      'UNSUPPORTED',
      `it is a ${family.title}, and training inside Framewright is for ${FAMILIES.qwen2vl.title}; train it elsewhere on ` +
        `"train export --family ${family.architecture}", and convert the adapter (framewright gguf lora-convert)`,
    );
  } catch (error) {
    if (!(error instanceof GgufError)) throw error;
    const code = error.code === 'UNSUPPORTED' ? 'MODEL_UNSUPPORTED' : 'MODEL_INVALID';
    throw new FramewrightError(code, `cannot train on the model ${resolved.name}: ${error.message}`, { cause: error });
  }
}

interface SeenData {
  readonly plan: TrainingPlan;
  readonly data: TrainingData;
  readonly embeddings: EmbeddingStore;
}

/** Reads the data with the model's tokenizer and, if the plan goes on, lets its vision tower see the photos; then the model is let go of. */
async function seeData(
  runtime: Runtime,
  resolved: ResolvedModel,
  nEmbd: number,
  options: TrainAdapterOptions & { readonly threads: number } & Pick<TrainSettings, 'spread'>,
  files: RunFiles,
  plan: (data: TrainingData) => TrainingPlan,
): Promise<SeenData | undefined> {
  const { kind, folder, leaveOut, threads, spread, signal, onStage } = options;
  await using model = await loadRunnable(runtime, resolved, FAMILIES.qwen2vl, {
    threads,
    ...(signal ? { signal } : {}),
  });
  const data = await readTrainingData(kind, folder, new Renderer(model, { spread }), {
    ...defined({ leaveOut, signal }),
  });
  const planned = plan(data);
  if (options.dryRun === true) return undefined;
  const use = {
    mmprojSha256: await fileSha256(resolved.mmprojPath, signal),
    positionRamps: resolved.use.preprocess.positionRamps,
  };
  await makeFolder(files.folder);
  const embeddings = new EmbeddingStore(files.embeddings, use, nEmbd);
  const images = [...data.train, ...data.heldOut].flatMap(({ tokens }) => imagesOf(tokens.pieces));
  await embeddings.encode(images, model, {
    ...(onStage ? { onImage: (done, total) => onStage('images', done, total) } : {}),
    ...(signal ? { signal } : {}),
  });
  return { plan: planned, data, embeddings };
}

function planRequest(
  { kind, recompute, memoryBytes }: TrainAdapterOptions,
  { textPath }: ResolvedModel,
  data: TrainingData,
  settings: TrainSettings,
  threads: number,
): PlanRequest {
  return {
    kind,
    textPath,
    data,
    settings,
    threads,
    ...(recompute === undefined ? {} : { recompute }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}

/** What makes a run what it is: the same again gives the same adapter. */
async function identityOf(
  { kind, lora, signal }: TrainAdapterOptions,
  { name, textPath, mmprojPath }: ResolvedModel,
  data: TrainingData,
  settings: TrainSettings,
  { nSteps }: TrainingPlan,
): Promise<Progress['identity']> {
  const { epochs, nSteps: _asked, targets, ...numbers } = settings;
  return {
    kind,
    model: name,
    model_sha256: await fileSha256(textPath, signal),
    mmproj_sha256: await fileSha256(mmprojPath, signal),
    data_sha256: data.sha256,
    start: lora === undefined ? 'new' : await fileSha256(lora, signal),
    targets: targets.join(','),
    total_steps: String(nSteps),
    ...Object.fromEntries(Object.entries(numbers).map(([key, value]) => [snake(key), String(value)])),
  };
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
