import type { ModelFamily } from '../../gguf/index.js';
import { defined } from '../base/defined.js';
import { fileSha256 } from '../files/file-hash.js';
import { withImageTokens } from '../model/image-tokens.js';
import { loadRunnable, requireRunnable, type LoadOptions } from '../model/load.js';
import { settledNumbers } from '../model/number-policy.js';
import { tooLarge } from '../model/plan/describe.js';
import type { MemoryPlan } from '../model/plan/fit.js';
import { plannedUse, planRun, sequencesFor, sequencesOfEach, type PlanOptions } from '../model/plan/plan-run.js';
import { shapeOfPair } from '../model/plan/shape.js';
import { bytesOf, threadsFor } from '../model/threads-for.js';
import { resolveModel, useIn, type ResolvedModel } from '../model/resolve.js';
import { loadPromptProfile } from './prompt/profile.js';
import type { VisionModel } from '../runtime/model.js';
import { openRuntime, type Runtime } from '../runtime/runtime.js';
import { usableCores } from '../runtime/threads.js';
import type { ContextCounters, ContextOptions, GpuChoice, LogLine } from '../runtime/types.js';
import { ContextPool, contextsThatFit } from './contexts.js';
import { VlmEngine, type VlmCounters } from './engine.js';
import { requireSpeakable } from './one-box/require-speakable.js';

export interface VlmOptions
  extends LoadOptions, Pick<ContextOptions, 'kvType'>, Pick<PlanOptions, 'vramBytes' | 'memoryBytes'> {
  /** Name of a model (`nano`, `qwen2.5-vl-7b`, `name:variant`), path of a GGUF, or of a folder with a manifest. Default `nano`. */
  readonly model?: string;
  readonly mmproj?: string;
  /** Default `auto`. */
  readonly gpu?: GpuChoice;
  /** As `RuntimeOptions.cpu`. */
  readonly cpu?: string;
  /** Explicit native addon file. */
  readonly addonPath?: string;
  /** Default: off on a CPU, where it is slower, on elsewhere if the backend supports it. */
  readonly flashAttention?: boolean;
  /** llama.cpp's own words. */
  readonly onLog?: (line: LogLine) => void;
  /**
   * Photos at once in the context, where they share batches: 1 (default) to 128. `auto`: as many as are found to gain, each
   * in a context of its own, which leaves every answer as it is with 1; more than 1 only of a model that runs on one thread
   * of a CPU without being told to (the nano), since others fill the cores by themselves.
   */
  readonly parallel?: number | 'auto';
  /**
   * Has the vision tower encode the next photo of a batch while one is decoded. Default: on a GPU, and on a CPU that has
   * threads enough for both at once.
   */
  readonly encodeAhead?: boolean;
  /** Image tokens (28 x 28 px each in a Qwen2.5-VL, 32 x 32 in a Qwen3-VL) a photo is seen with at most. Default: as many as the model is made for. */
  readonly imageTokens?: number;
  /**
   * `plan` (default) chooses what was left open so that the model fits the memory that is free, and refuses it where
   * nothing does; `ignore` loads it as asked.
   */
  readonly memory?: 'plan' | 'ignore';
  /**
   * Frees the vision tower after each image and loads it again for the next. Default: where the plan had to give
   * something up for want of memory.
   */
  readonly releaseEncoder?: boolean;
}

/** How the KV cache is kept and read, which rounding depends on. */
export interface CacheSettings {
  readonly kvType: NonNullable<ContextOptions['kvType']>;
  /** `auto`: as llama.cpp chooses on the backend. */
  readonly flashAttention: boolean | 'auto';
}

/** A loaded model with its runtime and KV cache, ready for the three stages. */
export interface Vlm {
  readonly runtime: Runtime;
  readonly resolved: ResolvedModel;
  readonly engine: VlmEngine;
  /** What the model runs with, and what was given up for it; undefined if memory was to be ignored. */
  readonly plan: MemoryPlan | undefined;
  readonly cache: CacheSettings;
  /** Where photos are taken on. More than one only under `parallel: 'auto'`. */
  readonly contexts: ContextPool;
  counters(): ContextCounters & VlmCounters;
  dispose(): Promise<void>;
}

export async function openVlm(given: VlmOptions): Promise<Vlm> {
  const { signal } = given;
  const found = await resolveModel({
    model: given.model ?? 'nano',
    ...defined({ mmproj: given.mmproj }),
  });
  const { imageTokens } = given;
  const parallel = inOneContext(given.parallel);
  const options = {
    ...given,
    parallel,
    loras: [...found.loras, ...(given.loras ?? [])],
    ...(await threadsFor(found, given.threads)),
  };
  const profile = await loadPromptProfile(found.use.promptProfile);
  signal?.throwIfAborted();
  const opened = new OpenedResources();
  try {
    const runtime = opened.use(
      await openRuntime({
        ...defined({ gpu: options.gpu, cpu: options.cpu, addonPath: options.addonPath }),
      }),
    );
    if (options.onLog) runtime.onLog(options.onLog);
    const pair = await requireRunnable({ ...found, loras: options.loras }, signal);
    const { family } = pair;
    const use = { ...useIn(found, family), numbers: settledNumbers(found.use, pair, options.loras) };
    const asked = { ...found, use: imageTokens === undefined ? use : withImageTokens(use, imageTokens, family) };
    const planned =
      given.memory === 'ignore'
        ? undefined
        : planRun(runtime.info, shapeOfPair(pair), asked.use, {
            ...options,
            adapterBytes: await bytesOf(options.loras.map(({ path }) => path)),
          });
    if (planned && !planned.plan.fits) throw tooLarge(asked.name, planned.plan, planned.limits);
    const plan = planned?.plan;
    const resolved = plan ? { ...asked, use: plannedUse(asked.use, family, plan, parallel) } : asked;
    const [model, sha256, mmprojSha256] = await all([
      loadRunnable(runtime, resolved, family, { ...options, ...placement(plan) }).then((loaded) => opened.use(loaded)),
      fileSha256(resolved.textPath, signal),
      fileSha256(resolved.mmprojPath, signal),
    ]);
    requireSpeakable(profile, model);
    const settings = contextOptions(runtime, resolved, family, options, plan);
    const context = opened.use(await model.createContext(settings));
    const isWide = given.parallel === 'auto' && given.threads === undefined && isOneThread(runtime, model);
    const most = isWide ? Math.min(usableCores(), planned ? contextsThatFit(planned) : Infinity) : 1;
    const contexts = new ContextPool(context, most, () => model.createContext(settings));
    const engine = new VlmEngine(model, contexts, {
      use: resolved.use,
      sequences: sequencesOfEach(parallel, family) - 1,
      profile,
      identity: {
        name: resolved.name,
        sha256,
        mmprojSha256,
        promptVersion: profile.version,
        loras: options.loras.map(({ path, scale = 1 }) => ({ path, scale })),
      },
    });
    engine.releasesEncoder = given.releaseEncoder ?? (plan !== undefined && plan.givenUp.length > 0);
    engine.encodesAhead =
      !engine.releasesEncoder && (given.encodeAhead ?? hasRoomForBoth(runtime, model.settings.threads));
    return {
      runtime,
      resolved,
      engine,
      plan,
      cache: { kvType: context.kvType, flashAttention: context.flashAttention ?? 'auto' },
      contexts,
      counters: () => ({ ...contexts.counters(), ...engine.counters() }),
      dispose: () => opened.dispose(),
    };
  } catch (error) {
    await opened.dispose();
    throw signal?.aborted ? signal.reason : error;
  }
}

/** Photos that share one context. */
export function inOneContext(parallel: VlmOptions['parallel'] = 1): number {
  return parallel === 'auto' ? 1 : parallel;
}

function isOneThread({ info }: Runtime, model: VisionModel): boolean {
  return info.backend === 'cpu' && model.settings.threads === 1;
}

/** Two of ggml's thread pools on the same cores wait for one another at every step. */
function hasRoomForBoth({ info }: Runtime, threads: number): boolean {
  return info.backend !== 'cpu' || 2 * threads <= usableCores();
}

/** Where the plan puts layers and vision tower; nothing for the CPU, which has no choice. */
function placement(plan: MemoryPlan | undefined): Pick<LoadOptions, 'gpuLayers' | 'projectorOnGpu'> {
  if (!plan) return {};
  const { gpuLayers, projectorOnGpu } = plan.settings;
  return { gpuLayers, projectorOnGpu };
}

function contextOptions(
  runtime: Runtime,
  { use }: ResolvedModel,
  family: ModelFamily,
  options: VlmOptions & { readonly parallel: number },
  plan: MemoryPlan | undefined,
): ContextOptions {
  const { parallel, threads } = options;
  const kvType = plan?.settings.kvType ?? options.kvType;
  // ggml's flash attention takes three times as long as the plain one on a CPU (bench/attention.mjs), but a quantised
  // cache cannot do without.
  const onCpu = runtime.info.backend === 'cpu' && kvType !== 'q8_0';
  const flashAttention = options.flashAttention ?? (onCpu ? false : undefined);
  return {
    nCtx: use.contextCells * parallel,
    nSeqMax: sequencesFor(parallel, family),
    nScratchMax: sequencesOfEach(parallel, family) - 1,
    ...(plan ? { nBatch: plan.settings.nBatch } : {}),
    ...defined({ kvType, flashAttention, threads }),
  };
}

/** Promise.all that lets the others settle before it rejects, so that nothing is still using what gets freed then. */
async function all<T extends readonly unknown[]>(work: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  const settled = await Promise.allSettled(work);
  const failed = settled.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  return settled.map((outcome) => (outcome as PromiseFulfilledResult<unknown>).value) as unknown as T;
}

/** Disposes in the reverse order of `use`. (Node 20 has no AsyncDisposableStack.) */
class OpenedResources {
  readonly #resources: AsyncDisposable[] = [];

  use<T extends AsyncDisposable>(resource: T): T {
    this.#resources.push(resource);
    return resource;
  }

  async dispose(): Promise<void> {
    for (let resource = this.#resources.pop(); resource; resource = this.#resources.pop()) {
      await resource[Symbol.asyncDispose]();
    }
  }
}
