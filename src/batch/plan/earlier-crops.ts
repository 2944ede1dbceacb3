import path from 'node:path';
import { journalIn, readEarlierRuns, type EarlierRuns, type JournalPlace } from '../journal/journal-file.js';
import { STDIN, type FoundPhotos } from '../inputs.js';
import { commonFolder } from '../journal/run-memory.js';

/** What files are called unless `--name` says otherwise: `-crop`, `-4x5`, `-4x5-overlay`, `-crop-2`. */
const CROP_NAME = /^(.+)-(?:crop|overlay|\d+x\d+)(?:-overlay)?(?:-\d+)?$/;

/**
 * The photos without what earlier runs have put among them, which is told on stderr: what the run's own journal knows,
 * and of photos that only a folder or pattern means also what other journals there know, and what is called as a crop
 * of another of the photos. Where these are all there is, they are what is meant.
 *
 * @param place of the run's own journal, with what it holds
 */
export async function withoutEarlierCrops(
  { photos, named }: FoundPhotos,
  own?: { readonly place: JournalPlace; readonly earlier: EarlierRuns },
): Promise<readonly string[]> {
  if (photos.length < 2) return photos;
  const made = await madeBeside(photos, own?.place);
  const isKnown = (photo: string): boolean => {
    const file = path.resolve(photo);
    return own?.earlier.files.has(file) === true || (!named.has(file) && made.has(file));
  };
  const originals = photos.filter((photo) => !isKnown(photo));
  if (originals.length === 0) return photos;
  tellKnown(photos.length - originals.length);
  return withoutCropNames(originals, new Set(photos.map(stemOf)), named);
}

function tellKnown(nKnown: number): void {
  if (nKnown > 0) process.stderr.write(`framewright: ${nKnown} pictures made here earlier are left out\n`);
}

/** Runs of a single photo note nothing, so that only its name tells its crop. */
function withoutCropNames(
  photos: readonly string[],
  stems: ReadonlySet<string>,
  named: ReadonlySet<string>,
): readonly string[] {
  const isCrop = (photo: string): boolean => {
    const stem = CROP_NAME.exec(stemOf(photo))?.[1];
    return photo !== STDIN && !named.has(path.resolve(photo)) && stem !== undefined && stems.has(stem);
  };
  const left = photos.filter(isCrop);
  if (left.length === 0) return photos;
  const which = left.length > 1 ? `${left[0]!} and ${left.length - 1} more are` : `${left[0]!} is`;
  process.stderr.write(
    `framewright: ${which} left out, by the name a crop of another photo here; to crop such a file, name it itself\n`,
  );
  return photos.filter((photo) => !isCrop(photo));
}

function stemOf(photo: string): string {
  const { dir, name } = path.parse(path.resolve(photo));
  return path.join(dir, name);
}

/** Of the photos, and those between them and the folder all lie in or below: a run over it has its journal there. */
function foldersOf(photos: readonly string[]): ReadonlySet<string> {
  const folders = new Set(photos.map((photo) => path.dirname(path.resolve(photo))));
  const top = path.resolve(commonFolder([...folders]));
  for (const folder of folders) if (folder !== top) folders.add(path.dirname(folder));
  return folders;
}

/** Absolute paths of what runs have made whose journals lie where these photos lie. */
async function madeBeside(photos: readonly string[], own: JournalPlace | undefined): Promise<ReadonlySet<string>> {
  const made = new Set<string>();
  for (const folder of foldersOf(photos.filter((photo) => photo !== STDIN))) {
    const journal = journalIn(folder);
    if (journal.file === own?.file) continue;
    // One that cannot be read is nobody's concern here: nothing is written to it.
    const runs = await readEarlierRuns(journal).catch(() => undefined);
    for (const file of runs?.files ?? []) made.add(file);
  }
  return made;
}
