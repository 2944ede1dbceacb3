import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { settingsKey, type CropJournal } from './crop-journal.js';
import { journalIn, type JournalPlace } from './journal-file.js';
import type { Cropper } from '../../cropper/cropper.js';
import type { CropResult } from '../../base/schema.js';
import { cacheFolder, fileSha256 } from '../../files/file-hash.js';
import type { CropRun, RunMemory } from '../run/batch-run.js';
import { STDIN } from '../inputs.js';
import { isFolder, refuseExisting } from '../plan/plan-outputs.js';
import { filesOf, type PlannedPhoto } from '../plan/planned-photo.js';

/** Bumped when the same settings come to mean other files. */
const SETTINGS_VERSION = 1;
/** Photos looked up at once. */
const LOOKUPS = 64;

/**
 * Where a run notes what it has done: in the folder it writes to, or where the photos' crops go beside them, in the
 * folder all photos lie in or below. Where that cannot be written, or is the whole disk, in the user's cache folder.
 */
export async function journalPlace(
  photos: readonly string[],
  { output, journal }: { readonly output?: string; readonly journal: string | boolean },
): Promise<JournalPlace> {
  if (typeof journal === 'string') return { place: path.resolve(path.dirname(journal)), file: path.resolve(journal) };
  const there = journalIn(await outputFolder(photos, output));
  const isWhole = path.dirname(there.place) === there.place;
  if (!isWhole && !(await isReadOnly(there.place))) return there;
  return { place: there.place, file: path.join(cacheFolder(), 'crop', `${settingsKey(there.place)}.jsonl`) };
}

/** Where a run writes to, as a relative path where it was given as one. */
export async function outputFolder(photos: readonly string[], output: string | undefined): Promise<string> {
  if (output === undefined) {
    return commonFolder(photos.filter((photo) => photo !== STDIN).map((photo) => path.dirname(photo)));
  }
  return photos.length === 1 && !(await isFolder(output)) ? path.dirname(output) : output;
}

/** The deepest folder all of them lie in, absolute, with a separator at its end. */
export function commonFolder(folders: readonly string[]): string {
  const [first = [], ...rest] = [...new Set(folders)].map((folder) => path.resolve(folder).split(path.sep));
  let nShared = first.length;
  for (const parts of rest) {
    const differs = parts.findIndex((part, i) => part !== first[i]);
    nShared = Math.min(nShared, differs < 0 ? parts.length : differs);
  }
  return first.slice(0, nShared).join(path.sep) + path.sep;
}

function isReadOnly(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => false,
    (error: unknown) => (error as NodeJS.ErrnoException).code !== 'ENOENT',
  );
}

/** A run with what its journal knows of earlier ones, which counts where `resume` is asked for. */
export async function rememberedRun(journal: CropJournal, run: CropRun, cropper: Cropper): Promise<RunMemory> {
  const shared = await settingsOf(run, cropper);
  const keyOf = (planned: PlannedPhoto): string => settingsKey([shared, run.wishesOf(planned)]);
  const finished = new Map<PlannedPhoto, readonly CropResult[]>();
  if (run.resume) {
    const queue = run.plan.filter(({ input }) => input !== STDIN);
    const lookUp = async (): Promise<void> => {
      for (let planned = queue.pop(); planned; planned = queue.pop()) {
        const results = await journal.finished(planned.input, keyOf(planned), filesOf(planned), planned.sidecar);
        if (results) finished.set(planned, results);
      }
    };
    await Promise.all(Array.from({ length: LOOKUPS }, lookUp));
  }
  return { journal, keyOf, finished };
}

/** Everything but the photo that decides its files. */
async function settingsOf(run: CropRun, cropper: Cropper): Promise<string> {
  const { model } = cropper;
  // A file of the same name may hold another adapter by now.
  const loras = await Promise.all((model?.loras ?? []).map(({ path: file }) => fileSha256(file)));
  const { signal: _, ...request } = run.request;
  const { signal: __, ...encode } = run.encode;
  const sidecars = run.plan.some(({ sidecar }) => sidecar !== undefined);
  return settingsKey([
    SETTINGS_VERSION,
    cropper.engine,
    cropper.findsFaces,
    model,
    loras,
    request,
    encode,
    sidecars,
    run.keepTime,
  ]);
}

/** Nothing that is there may be overwritten, except what a killed run of ours has left half noted. */
export async function refuseForeign({ plan }: CropRun, { finished, journal }: RunMemory): Promise<void> {
  const todo = plan.filter((planned) => !finished.has(planned));
  const remedy = 'it is not what this run would go on from: --force overwrites, --output names another place';
  await refuseExisting(todo, remedy, (file) => journal.isLeftover(file));
}
