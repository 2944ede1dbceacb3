import { defined } from '../../base/defined.js';
import type { CropResult } from '../../base/schema.js';
import type { ReplacedFile } from '../../files/replace.js';
import type { Photo } from '../../photo/decode.js';
import { embedIn } from '../../photo/metadata/embed-crop.js';
import { sidecarPathOf } from '../../photo/metadata/sidecar-path.js';
import { writeSidecar } from '../../photo/metadata/sidecar.js';
import type { PlannedPhoto } from '../plan/planned-photo.js';
import type { BatchSettings } from '../settings.js';

/** Results, with what became of the place where their crop was to be noted. */
export interface NotedResults {
  readonly results: readonly CropResult[];
  /** The photo's own file as it is now, where the crop went into it. */
  readonly file?: ReplacedFile;
}

/** Notes the crop in the photo's XMP or beside it, where that was asked for and it is not left for review. */
export async function noteCrop(
  photo: Photo,
  results: readonly CropResult[],
  planned: PlannedPhoto,
  settings: BatchSettings,
): Promise<NotedResults> {
  const { sidecar, embeds = false } = planned;
  if ((sidecar === undefined && !embeds) || results[0]!.verdict === 'review') return { results };
  const { crop } = results[0]!;
  const { force, keepTime, signal } = settings;
  const done = embeds ? await embedIn(photo, crop, { force, keepTime, signal }) : undefined;
  if (done && 'embedded' in done) {
    const { embedded, file } = done;
    const noted = results.map((result) => ({ ...withCanvasNote(result, IN_XMP), embedded }));
    return { results: noted, ...defined({ file }) };
  }
  const path = sidecar ?? (await sidecarPathOf(planned.input, undefined, settings.xmpName));
  const outcome = await writeSidecar(photo, crop, { path, force, signal });
  const instead = done ? [`${done.refusal}: its crop is noted beside it instead`] : [];
  return {
    results: results.map((result) => {
      const { notes = [], ...rest } = withCanvasNote(result, IN_SIDECAR);
      const all = [...notes, ...instead];
      return { ...rest, sidecar: outcome, ...(all.length > 0 && { notes: all }) };
    }),
  };
}

const IN_SIDECAR = 'has a sidecar that says its crop alone: sidecars have no words for the canvas around it';
const IN_XMP = 'has its crop alone in its XMP, which has no words for the canvas around it';

function withCanvasNote(result: CropResult, note: string): CropResult {
  return result.canvas ? { ...result, notes: [...(result.notes ?? []), note] } : result;
}
