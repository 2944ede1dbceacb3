import path from 'node:path';
import { defined } from '../../base/defined.js';
import type { CropResult } from '../../base/schema.js';
import { makeFolder } from '../../files/make-folder.js';
import { writeFileAtomic } from '../../files/write.js';
import type { Photo } from '../../photo/decode.js';
import { shaWithoutCrop } from '../../photo/metadata/sha-without-crop.js';
import { sha256Of } from '../journal/content-hash.js';
import { tokenOf } from '../journal/crop-journal.js';
import type { MadeFile, RefusedOfPlan } from '../journal/journal-record.js';
import type { RunMemory } from '../journal/run-memory.js';
import type { SeenSource, SourceState } from '../journal/source-state.js';
import { filesOf, STDOUT, withoutTargets, type PlannedPhoto } from '../plan/planned-photo.js';
import type { BatchSettings } from '../settings.js';
import { encodeOutputs, type EncodedOutput } from './encode-outputs.js';
import { noteCrop, type NotedResults } from './note-crop.js';

interface WriteContext {
  readonly settings: BatchSettings;
  /** What no crop of the photo meets. */
  readonly refused: readonly RefusedOfPlan[];
  /** Where what is written is noted, if anywhere. */
  readonly memory?: RunMemory;
  /** The photo's file before it was read, if it has one. */
  readonly source?: SeenSource;
}

/**
 * Writes what one photo gives and notes it: the files planned, and the crop in XMP.
 *
 * @returns the results, with the files and what became of the sidecar or the photo's own XMP
 */
export async function writePhoto(
  { photo, results }: { readonly photo: Photo; readonly results: readonly CropResult[] },
  planned: PlannedPhoto,
  context: WriteContext,
): Promise<readonly CropResult[]> {
  const { settings, memory, source, refused } = context;
  const possible = withoutTargets(planned, new Set(refused.map(({ nth }) => nth)));
  const perTarget = await encodeOutputs(photo, results, possible, { ...settings.encode, lossless: settings.lossless });
  const files = perTarget.flat();
  const made = memory && files.map(({ path: file, bytes }): MadeFile => ({ path: file, sha256: sha256Of(bytes) }));
  const key = memory?.keyOf(planned) ?? '';
  if (made) await memory.journal.begin(planned.input, key, made);
  for (const [i, file] of files.entries()) await publish(file, made?.[i], context);
  const cropped = results.map((result, target) => {
    const outputs = perTarget[target]!;
    const notes = [
      ...(result.notes ?? []),
      ...outputs.flatMap(({ leftOut }) => leftOut.map((what) => `is cropped without its ${what}`)),
    ];
    const cut = defined({ lossless: outputs[0]?.lossless });
    return { ...result, ...cut, output: outputs.map(({ path: file }) => file), ...(notes.length > 0 ? { notes } : {}) };
  });
  const noted = await noteCrop(photo, cropped, planned, settings);
  if (made && source) {
    await memory.journal.finish(planned.input, key, {
      files: made,
      planned: filesOf(planned),
      source: sourceAfter(photo, source, noted),
      results: noted.results,
      refused,
    });
  }
  return noted.results;
}

/** The photo's file as a run that goes on is to find it: with a crop in its own XMP it has another length and time. */
function sourceAfter({ bytes, format, raw }: Photo, seen: SeenSource, { file }: NotedResults): SourceState {
  if (raw) return { ...seen, sha256: raw.sha256 };
  const withoutCrop = shaWithoutCrop(bytes, format);
  return { ...seen, sha256: sha256Of(bytes), ...file, ...defined({ withoutCrop }) };
}

/** Gives a file its name, or sends it to stdout. */
async function publish(
  file: EncodedOutput,
  made: MadeFile | undefined,
  { settings, memory, source }: WriteContext,
): Promise<void> {
  const { force, resume, keepTime, signal, stdout } = settings;
  if (file.path === STDOUT) return stdout!(file.bytes);
  const mayReplace = force || (resume && (await memory?.journal.isLeftover(file.path)) === true);
  await makeFolder(path.dirname(file.path));
  await writeFileAtomic(file.path, file.bytes, {
    force: mayReplace,
    signal,
    ...defined({ token: made && tokenOf(made), modifiedMs: keepTime ? source?.mtimeMs : undefined }),
  });
}
