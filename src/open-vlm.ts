import { stat } from 'node:fs/promises';
import { fileSha256 } from './model/file-hash.js';
import { loadResolved, type LoadOptions } from './model/load.js';
import { resolveModel, type ResolvedModel } from './model/resolve.js';
import { loadPromptProfile } from './prompt/profile.js';
import { openRuntime, type Runtime } from './runtime/runtime.js';
import type { ContextCounters, ContextOptions, GpuChoice, LogLine } from './runtime/types.js';
import { VlmEngine, type VlmCounters } from './vlm-engine.js';

export interface VlmOptions extends LoadOptions, Pick<ContextOptions, 'kvType'> {
  /** Name of a model (`nano`, `qwen2.5-vl-7b`, `name:variant`), path of a GGUF, or of a folder with a manifest. Default `nano`. */
  readonly model?: string;
  readonly mmproj?: string;
  /** Default `auto`. */
  readonly gpu?: GpuChoice;
  /** Explicit native addon file. */
  readonly addonPath?: string;
  /** Default: off on a CPU, where it is slower, on elsewhere if the backend supports it. */
  readonly flashAttention?: boolean;
  /** llama.cpp's own words. */
  readonly onLog?: (line: LogLine) => void;
  /** Photos at once in the context. Default 1. */
  readonly parallel?: number;
}

/** A loaded model with its runtime and KV cache, ready for the three stages. */
export interface Vlm {
  readonly runtime: Runtime;
  readonly resolved: ResolvedModel;
  readonly engine: VlmEngine;
  counters(): ContextCounters & VlmCounters;
  dispose(): Promise<void>;
}

/** Sequences a context offers: forks for aspects and votes, and boxes ranked at once. */
const SEQUENCES = 64;

/**
 * Models of fewer bytes (both files) run on one thread unless told otherwise: their steps take about as long as waking a
 * second thread, and on a busy machine several threads wait for the slowest at every step.
 */
const ONE_THREAD_BELOW_BYTES = 64 * 1024 * 1024;

export async function openVlm(given: VlmOptions): Promise<Vlm> {
  const { signal } = given;
  const resolved = await resolveModel({
    model: given.model ?? 'nano',
    ...(given.mmproj === undefined ? {} : { mmproj: given.mmproj }),
  });
  const options = {
    ...given,
    loras: [...resolved.loras, ...(given.loras ?? [])],
    ...(await threadsFor(resolved, given.threads)),
  };
  const profile = await loadPromptProfile(resolved.use.promptProfile);
  signal?.throwIfAborted();
  const opened = new OpenedResources();
  try {
    const runtime = opened.use(
      await openRuntime({
        ...(options.gpu === undefined ? {} : { gpu: options.gpu }),
        ...(options.addonPath === undefined ? {} : { addonPath: options.addonPath }),
      }),
    );
    if (options.onLog) runtime.onLog(options.onLog);
    const [model, sha256, mmprojSha256] = await all([
      loadResolved(runtime, resolved, options).then((loaded) => opened.use(loaded)),
      fileSha256(resolved.textPath, signal),
      fileSha256(resolved.mmprojPath, signal),
    ]);
    const context = opened.use(await model.createContext(contextOptions(runtime, resolved, options)));
    const engine = new VlmEngine(model, context, resolved.use, profile, {
      name: resolved.name,
      sha256,
      mmprojSha256,
      promptVersion: profile.version,
      loras: options.loras.map(({ path, scale = 1 }) => ({ path, scale })),
    });
    return {
      runtime,
      resolved,
      engine,
      counters: () => ({ ...context.counters(), ...engine.counters() }),
      dispose: () => opened.dispose(),
    };
  } catch (error) {
    await opened.dispose();
    throw signal?.aborted ? signal.reason : error;
  }
}

async function threadsFor({ textPath, mmprojPath }: ResolvedModel, asked?: number): Promise<{ threads?: number }> {
  if (asked !== undefined) return { threads: asked };
  // A missing file is for validation to report.
  const sizes = await Promise.all(
    [textPath, mmprojPath].map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes[0]! + sizes[1]! < ONE_THREAD_BELOW_BYTES ? { threads: 1 } : {};
}

function contextOptions(runtime: Runtime, { use }: ResolvedModel, options: VlmOptions): ContextOptions {
  const { parallel = 1, kvType, threads } = options;
  // ggml's flash attention takes three times as long as the plain one on a CPU (bench/attention.mjs), but a quantised
  // cache cannot do without.
  const onCpu = runtime.info.backend === 'cpu' && kvType !== 'q8_0';
  const flashAttention = options.flashAttention ?? (onCpu ? false : undefined);
  return {
    nCtx: use.contextCells * parallel,
    nSeqMax: Math.min(256, SEQUENCES * parallel),
    ...(kvType === undefined ? {} : { kvType }),
    ...(flashAttention === undefined ? {} : { flashAttention }),
    ...(threads === undefined ? {} : { threads }),
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
