import path from 'node:path';
import { counted } from '../../base/counted.js';
import { readEarlierRuns, type EarlierRuns } from '../journal/journal-file.js';
import { journalIn, type JournalPlace } from '../journal/journal-place.js';
import { STDIN, type FoundPhotos } from '../inputs.js';
import { commonFolder } from './folders.js';

/** What files are called unless `--name` says otherwise: `-crop`, `-4x5`, `-4x5-overlay`, `-crop-2`. */
const CROP_NAME = /^(.+)-(?:crop|overlay|\d+x\d+)(?:-overlay)?(?:-\d+)?$/;

/**
 * The photos without what earlier runs have put among them: what the run's own journal knows, and of photos that only a
 * folder or pattern means also what other journals there know, and what is called as a crop of another of the photos.
 * Where these are all there is, they are what is meant. Notes say what is left out.
 *
 * @param own what the run's own journal holds
 */
export async function withoutEarlierCrops(
  { photos, named }: FoundPhotos,
  own?: EarlierRuns,
): Promise<Pick<FoundPhotos, 'photos' | 'notes'>> {
  if (photos.length < 2) return { photos, notes: [] };
  const made = await madeBeside(photos, own?.at);
  const isKnown = (photo: string): boolean => {
    const file = path.resolve(photo);
    return own?.files.has(file) === true || (!named.has(file) && made.has(file));
  };
  const originals = photos.filter((photo) => !isKnown(photo));
  if (originals.length === 0) return { photos, notes: [] };
  const nKnown = photos.length - originals.length;
  const isCrop = cropNames(
    originals,
    new Set(
      photos.flatMap((photo) => [stemOf(photo), stemOf(photo) + path.extname(photo).toLowerCase().replace('.', '-')]),
    ),
    named,
  );
  return {
    photos: originals.filter((photo) => !isCrop.has(photo)),
    notes: [
      ...(nKnown > 0
        ? [`${counted(nKnown, 'picture')} made here earlier ${nKnown === 1 ? 'is' : 'are'} left out`]
        : []),
      ...(isCrop.size > 0 ? [leftOut([...isCrop])] : []),
    ],
  };
}

/** Those called as crops of others. Runs of a single photo note nothing, so that only its name tells its crop. */
function cropNames(
  photos: readonly string[],
  stems: ReadonlySet<string>,
  named: ReadonlySet<string>,
): ReadonlySet<string> {
  const isCrop = (photo: string): boolean => {
    const stem = CROP_NAME.exec(stemOf(photo))?.[1];
    return photo !== STDIN && !named.has(path.resolve(photo)) && stem !== undefined && stems.has(stem);
  };
  return new Set(photos.filter(isCrop));
}

function leftOut([first, ...others]: readonly string[]): string {
  const which = others.length > 0 ? `${first!} and ${others.length} more are` : `${first!} is`;
  return `${which} left out, by the name a crop of another photo here; to crop such a file, name it itself`;
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
