import { existsSync } from 'node:fs';
import type { Cropper } from '../../cropper/cropper.js';
import { defined } from '../../base/defined.js';
import type { CropResult, RefusedTarget } from '../../base/schema.js';
import { fileSha256 } from '../../files/file-hash.js';
import { STDIN } from '../inputs.js';
import { refuseExisting } from '../plan/existing-files.js';
import { filesOf, withoutTargets, type PlannedPhoto } from '../plan/planned-photo.js';
import type { RunPlan } from '../plan/run-plan.js';
import type { BatchSettings } from '../settings.js';
import type { SeenDone } from './seen-records.js';
import type { CropJournal } from './crop-journal.js';
import { keyOfSettings } from './settings-key.js';

/** Bumped when the same settings come to mean other files. */
const SETTINGS_VERSION = 1;
/** Photos looked up at once. */
const LOOKUPS = 64;

/** Where a run of several photos keeps what it has done. */
export interface RunMemory {
  readonly journal: CropJournal;
  /** Everything but the photo, and what is wished of it alone, that decides its files, in a word. */
  readonly shared: string;
  /** Everything that decides a photo's files, in a word. */
  readonly keyOf: (planned: PlannedPhoto) => string;
  /** What earlier runs have done. Empty where the run does not go on from them. */
  readonly finished: ReadonlyMap<PlannedPhoto, SeenDone>;
}

/** What a run's journal knows of earlier ones, which counts where it goes on from them. */
export async function rememberedRun(
  journal: CropJournal,
  { photos, wishesOf }: RunPlan,
  settings: BatchSettings,
  cropper: Cropper,
): Promise<RunMemory> {
  const shared = await sharedKey(photos, settings, cropper);
  const keyOf = (planned: PlannedPhoto): string => keyOfSettings([shared, wishesOf(planned)]);
  const finished = new Map<PlannedPhoto, SeenDone>();
  if (settings.resume) {
    const queue = photos.filter(({ input }) => input !== STDIN);
    const lookUp = async (): Promise<void> => {
      for (let planned = queue.pop(); planned; planned = queue.pop()) {
        const done = await journal.finished(planned.input, keyOf(planned), filesOf(planned), planned.sidecar);
        if (done) finished.set(planned, done);
      }
    };
    await Promise.all(Array.from({ length: LOOKUPS }, lookUp));
  }
  return { journal, shared, keyOf, finished };
}

/** Everything but the photo, and what is wished of it alone, that decides its files. */
async function sharedKey(
  photos: readonly PlannedPhoto[],
  settings: BatchSettings,
  { engines, findsFaces, model, identities }: Cropper,
): Promise<string> {
  // A file of the same name may hold another adapter by now.
  const loras = await Promise.all((model?.loras ?? []).map(({ path: file }) => fileSha256(file)));
  const { signal: _, ...request } = settings.request;
  const { signal: __, ...encode } = settings.encode;
  const sidecars = photos.some(({ sidecar }) => sidecar !== undefined);
  const { keepTime } = settings;
  // Alone as it was before there were chains, so that journals of then are still known.
  const engine = engines.length === 1 ? engines[0] : engines;
  const known = engines.length === 1 ? (model ?? identities[0]) : [model, ...identities];
  const said: unknown[] = [SETTINGS_VERSION, engine, findsFaces, known, loras, request, encode, sidecars, keepTime];
  // What was not there in earlier versions is said where it is asked for, so that their journals are still known.
  if (settings.firstFrame) said.push('first frame');
  if (settings.lossless) said.push('lossless');
  if (settings.xmp === 'embed') said.push('embed');
  if (settings.xmpName !== undefined) said.push(settings.xmpName);
  const references = await Promise.all(filesOfReference(settings.like).map((file) => fileSha256(file)));
  if (references.length > 0) said.push(references);
  return keyOfSettings(said);
}

/** Their content decides, whatever they are called. */
function filesOfReference(like: BatchSettings['like']): string[] {
  if (like === undefined) return [];
  const files = typeof like === 'string' ? [like, ...like.split(',')] : [like.photo, like.crop];
  return files.filter((file) => typeof file === 'string').filter((file) => existsSync(file));
}

/**
 * The results of an earlier run, which may have been started in another folder: with the paths as they are called now.
 *
 * @throws FramewrightError INPUT_UNREADABLE where its journal does not hold them any more
 */
export async function earlierResults(
  { journal, finished }: RunMemory,
  planned: PlannedPhoto,
): Promise<{ readonly results: readonly CropResult[]; readonly refused: readonly RefusedTarget[] }> {
  const { input } = planned;
  const done = finished.get(planned)!;
  const { refused = [] } = done;
  const { crops, overlays } = withoutTargets(planned, new Set(refused.map(({ nth }) => nth)));
  const earlier = await journal.resultsOf(done);
  const results = earlier.map((result, target) => {
    const overlay = overlays[target];
    const names = [
      ...(result.verdict === 'review' ? [] : (crops[target] ?? [])),
      ...(overlay === undefined ? [] : [overlay]),
    ];
    const { path: _, ...size } = result.photo;
    const output = names.length === result.output?.length ? names : undefined;
    const embedded = result.embedded && { ...result.embedded, path: input };
    return { ...result, photo: { path: input, ...size }, ...defined({ output, embedded }) };
  });
  return { results, refused: refused.map(({ nth: _, ...each }) => each) };
}

/**
 * Nothing that is there may be overwritten, except what a killed run of ours has left half noted.
 *
 * @throws FramewrightError OUTPUT_EXISTS
 */
export async function refuseForeign(photos: readonly PlannedPhoto[], { finished, journal }: RunMemory): Promise<void> {
  const todo = photos.filter((planned) => !finished.has(planned));
  const remedy = 'it is not what this run would go on from: --force overwrites, --output names another place';
  await refuseExisting(todo, remedy, (file) => journal.isLeftover(file));
}
