import type { Option } from 'commander';
import { FramewrightError } from '../../base/errors.js';
import { STDIN } from '../../batch/inputs.js';
import type { CropFlags } from './crop-flags.js';

/** What has a meaning beside --choices, where neither a model nor an engine is at work. */
const BESIDE_CHOICES: ReadonlySet<string> = new Set<keyof CropFlags>([
  'choices',
  'output',
  'format',
  'quality',
  'strip',
  'firstFrame',
  'name',
  'lossless',
  'keepTime',
  'xmp',
  'xmpName',
  'overlay',
  'report',
  'contactSheet',
  'dryRun',
  'force',
  'json',
  'verbose',
  'maxPixels',
]);

/**
 * What only the command line can have wrong: options that would be passed over without a word, no photos. Options that
 * contradict one another are refused by the run.
 *
 * @param given those of the command line; a config file holds for runs of all kinds.
 * @throws FramewrightError USAGE
 */
export function refuseConflicts(photos: readonly string[], flags: CropFlags, given: readonly Option[]): void {
  const isGiven = (name: keyof CropFlags): boolean => given.some((option) => option.attributeName() === name);
  if (flags.choices !== undefined) refuseBesideChoices(photos, flags, given);
  else if (photos.length === 0 && flags.hints === undefined) {
    throw usage("missing required argument 'photos': name image files, or folders of them");
  }
  if (flags.watch) refuseBesideWatch(photos, flags, given);
  if (isGiven('xmpName') && flags.xmp === false) {
    throw usage('--xmp-name says what the sidecars of --xmp are called; give --xmp too');
  }
  if (!isGiven('reviewList')) return;
  const list = `--review-list ${flags.reviewList}`;
  if (flags.minConfidence === undefined) {
    throw usage(`${list} is for crops below --min-confidence; say how sure is sure enough`);
  }
  if (flags.fallback !== undefined && flags.fallback !== 'review') {
    throw usage(`with --fallback ${flags.fallback} no crop is left for ${list}; leave out one of them`);
  }
}

/** What is about one run as a whole, or has no folder to watch. */
const IDLE_BESIDE_WATCH: ReadonlySet<string> = new Set<keyof CropFlags>([
  'hints',
  'report',
  'contactSheet',
  'dryRun',
  'force',
  'resume',
]);

function refuseBesideWatch(photos: readonly string[], { series }: CropFlags, given: readonly Option[]): void {
  if (series !== undefined && series !== 'off') {
    throw usage(
      `--watch crops each photo as it comes, and --series ${series} is for photos that are all there; run it without --watch, or give --like a photo`,
    );
  }
  if (photos.includes(STDIN)) throw usage('--watch is for folders; what comes on stdin is one photo');
  const idle = given.find((option) => IDLE_BESIDE_WATCH.has(option.attributeName()) || option.long === '--no-journal');
  if (idle)
    throw usage(`--watch crops each photo once, as it comes, and notes it; ${idle.long} has no meaning beside it`);
}

function refuseBesideChoices(photos: readonly string[], flags: CropFlags, given: readonly Option[]): void {
  const file = `--choices ${flags.choices}`;
  const names = given.map((option) => option.attributeName());
  if (photos.length > 0 || ['aspect', 'size', 'preset'].some((name) => names.includes(name))) {
    throw usage(`${file} names the photos and their ratios itself; leave these out`);
  }
  const isMeant = (name: string): boolean =>
    BESIDE_CHOICES.has(name) || (name === 'journal' && flags.journal === false);
  const idle = given.find((option) => !isMeant(option.attributeName()));
  if (idle) throw usage(`${file} says itself where to crop, and ${idle.long} changes nothing about it; leave it out`);
}

function usage(message: string): FramewrightError {
  return new FramewrightError('USAGE', message);
}
