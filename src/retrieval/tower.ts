import { defined } from '../base/defined.js';
import type { FrameImage } from '../engines/frame-image.js';
import { fileSha256 } from '../files/file-hash.js';
import { loadRunnable, requireRunnable } from '../model/load.js';
import { resolveModel, useIn } from '../model/resolve.js';
import { threadsFor } from '../model/threads-for.js';
import type { PixelBudget } from '../photo/frame.js';
import { positionRamps } from '../photo/ramps.js';
import { openRuntime } from '../runtime/runtime.js';
import type { GpuChoice, LogLine } from '../runtime/types.js';
import { describe } from './descriptor.js';

export interface TowerOptions {
  /** As `openVlm` takes them. */
  readonly model?: string;
  readonly mmproj?: string;
  readonly gpu?: GpuChoice;
  readonly cpu?: string;
  readonly addonPath?: string;
  readonly threads?: number;
  readonly onLog?: (line: LogLine) => void;
  readonly signal?: AbortSignal;
}

/** Whose eyes: vectors of two towers, or of one that is shown photos in another way, cannot be compared. */
export interface TowerIdentity {
  readonly name: string;
  readonly mmprojSha256: string;
  readonly minPixels: number;
  readonly maxPixels: number;
  readonly positionRamps: boolean;
}

/** The vision tower of a model, by which photos are told alike. */
export interface Tower {
  readonly identity: TowerIdentity;
  /** Of the text model's file, which takes no part. */
  readonly textSha256: string;
  readonly pixelBudget: PixelBudget;
  /** Numbers a cell of the photo is described by. */
  readonly nEmbd: number;
  /** A photo in its frame, described: see `describe`. */
  see(photo: FrameImage, signal?: AbortSignal): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/**
 * Loads a model for its vision tower. The text model's weights stay in the file where the file is large.
 *
 * @throws FramewrightError as `openVlm`
 */
export async function openTower({ model: name = 'nano', signal, ...options }: TowerOptions): Promise<Tower> {
  const resolved = await resolveModel({ model: name, ...defined({ mmproj: options.mmproj }) });
  const { gpu, cpu, addonPath, threads, onLog } = options;
  const runtime = await openRuntime(defined({ gpu, cpu, addonPath }));
  if (onLog) runtime.onLog(onLog);
  try {
    const { family } = await requireRunnable(resolved, signal);
    const use = useIn(resolved, family);
    const model = await loadRunnable(runtime, resolved, family, {
      gpuLayers: 0,
      ...defined({ signal }),
      ...(await threadsFor(resolved, threads)),
    });
    const { min: minPixels, max: maxPixels } = use.pixelBudget;
    const ramps = use.preprocess.positionRamps;
    const { cellPx } = model;
    const nEmbd = model.facts.nEmbdInput;
    return {
      identity: {
        name: resolved.name,
        mmprojSha256: await fileSha256(resolved.mmprojPath, signal),
        ...{ minPixels, maxPixels, positionRamps: ramps },
      },
      textSha256: await fileSha256(resolved.textPath, signal),
      pixelBudget: { minPixels, maxPixels, cellPx },
      nEmbd,
      see: async ({ rgb, frame }, ownSignal) => {
        const seen = ramps ? positionRamps(rgb, frame, family.patchPx) : rgb;
        using embedding = await model.encodeImage(seen, frame, defined({ signal: ownSignal }));
        const cells = { width: frame.width / cellPx, height: frame.height / cellPx };
        return describe(embedding.rows(), cells, nEmbd);
      },
      dispose: () => runtime.dispose(),
    };
  } catch (error) {
    await runtime.dispose();
    throw signal?.aborted ? signal.reason : error;
  }
}
