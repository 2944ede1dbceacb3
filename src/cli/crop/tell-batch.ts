import { counted, countedAre } from '../../base/counted.js';
import type { BatchEnd, BatchFailure, BatchListener, BatchPreparation } from '../../batch/listener.js';
import { filesOf, STDOUT, type PlannedPhoto } from '../../batch/plan/planned-photo.js';
import { STDIN } from '../../batch/inputs.js';
import { codeOf, FramewrightError, messageOf } from '../../base/errors.js';
import type { CropRect, CropResult, RefusedTarget } from '../../base/schema.js';
import { batchProgress } from '../terminal/batch-progress.js';
import type { BatchInterrupt } from '../terminal/interrupt.js';
import { tellOfModelsOnce } from '../terminal/first-run.js';
import { Progress } from '../terminal/progress.js';
import { errorLine, photoErrorText } from '../terminal/report-error.js';
import { warnFallbacks, warnGivenUp, warnUntrained } from '../terminal/warnings.js';
import type { CropFlags } from './crop-flags.js';
import { printText, say } from '../terminal/visible.js';

type Told = Pick<CropFlags, 'json' | 'verbose' | 'dryRun' | 'gpu'>;

/** Photos listed at the end; why each failed was told when it happened. */
const FAILURES_LISTED = 50;

/** Says on stdout what is made, and on stderr how it goes. */
export function tellBatch(flags: Told, interrupt: Pick<BatchInterrupt, 'beginPhotos'>): BatchListener {
  let progress = new Progress();
  return {
    onPrepare: (preparation) => progress.show(preparationText(preparation)),
    onNote: ({ text }) => {
      progress.clear();
      tell(text);
    },
    onPlan: (photos) => refuseMixedStdout(photos, flags),
    onOpen: (cropper) => {
      progress.clear();
      tellOfModelsOnce(cropper);
      warnUntrained(cropper);
      warnFallbacks(cropper, flags.gpu);
      warnGivenUp(cropper);
    },
    onResume: ({ nEarlier, nTotal }) =>
      tell(`${nEarlier} of ${counted(nTotal, 'photo')} ${nEarlier === 1 ? 'was' : 'were'} done earlier`),
    onBegin: ({ nTotal }) => {
      progress = new Progress(); // counts from here: a model may take long to load
      if (nTotal > 1) interrupt.beginPhotos();
    },
    onPhoto: ({ input, results, refused }) => {
      progress.clear();
      for (const result of results) tellCrop(input, result, flags);
      for (const each of refused) tellRefused(input, each, flags);
    },
    onFailure: (failure) => {
      progress.clear();
      tellFailure(failure, flags);
    },
    onProgress: (state) => progress.show(batchProgress(state)),
    onSummaryError: (error) => {
      progress.clear();
      say(`${errorLine(error)}\n`);
    },
    onEnd: (end) => {
      progress.clear();
      tellEnd(end);
    },
  };
}

const PREPARING = {
  find: (n: number) => `looking for photos, ${n} found`,
  name: (n: number) => `naming the files of ${counted(n, 'photo')}`,
  check: (n: number) => `looking what is there already of ${counted(n, 'photo')}`,
  compare: (n: number) => `comparing photos, ${n} looked at`,
} as const;

function preparationText({ step, nPhotos }: BatchPreparation): string {
  return PREPARING[step](nPhotos);
}

/** The bytes of a crop are for a program to read: nothing may be mixed into them. */
function refuseMixedStdout(photos: readonly PlannedPhoto[], { dryRun, json }: Told): void {
  if (dryRun || !photos.some((photo) => filesOf(photo).includes(STDOUT))) return;
  if (json) {
    throw new FramewrightError(
      'USAGE',
      'stdout cannot take both the crop and JSON; name a file with --output, or write none with --dry-run',
    );
  }
  if (process.stdout.isTTY) {
    throw new FramewrightError('USAGE', 'stdout is a terminal; name a file with --output, or redirect it');
  }
}

const WHY_LEFT_ALONE = {
  applied: 'settings that are in its pixels already',
  turned: 'an orientation that its file does not tell',
} as const;

/** What is said about a crop, made now or by an earlier run. */
function tellCrop(input: string, result: CropResult, { json, verbose, dryRun }: Told): void {
  if (verbose) {
    const others = (result.passedOver ?? []).map(({ engine, detail }) => `not by ${engine} (${detail}), `).join('');
    say(
      `${input}: ${result.verdict}, by ${result.engine}, ${others}${result.why}, ${JSON.stringify(result.timingsMs)}\n`,
    );
  }
  const { sidecar, embedded, lossless, output = [], notes = [] } = result;
  for (const note of notes) tell(`warning: ${input} ${note}`);
  const moved = lossless && movedText(lossless.movedPx);
  if (moved) tell(`${input} is cut without loss, with ${moved} more than its crop`);
  const noted = sidecar ?? embedded;
  if (noted?.state === 'manual') {
    const why = noted.reason ? WHY_LEFT_ALONE[noted.reason] : 'a crop made by hand';
    const what = sidecar ? sidecar.path : 'its XMP';
    tell(`${input} has ${why}, and ${what} is left as it is; --force writes ours over it`);
  }
  if (json) writeJson(result);
  else if (dryRun) printText(`${input}\t${rectText(result.crop)}\n`);
  else if (!output.includes(STDOUT)) {
    const files = noted?.state === 'written' ? [...output, noted.path] : output;
    printText(files.map((file) => `${file}\n`).join(''));
  }
}

/** `5 px on the left and 3 px at the top`; empty where no edge lies elsewhere. */
function movedText(movedPx: NonNullable<CropResult['lossless']>['movedPx']): string {
  const places = { left: 'on the left', top: 'at the top', right: 'on the right', bottom: 'at the bottom' } as const;
  const moved = (Object.keys(places) as (keyof typeof places)[]).filter((edge) => movedPx[edge] !== 0);
  const texts = moved.map((edge) => `${movedPx[edge]} px ${places[edge]}`);
  return [texts.slice(0, -1).join(', '), ...texts.slice(-1)].filter((text) => text !== '').join(' and ');
}

function tellFailure({ input, error }: BatchFailure, { json }: Told): void {
  tell(photoErrorText(input, error));
  if (json) {
    writeJson({ schemaVersion: 1, photo: { path: input }, error: { code: codeOf(error), message: messageOf(error) } });
  }
}

/** A ratio or size that no crop of the photo meets. */
function tellRefused(input: string, { target, code, detail: message }: RefusedTarget, { json }: Told): void {
  const asked = target.size ? `${target.size.widthPx}x${target.size.heightPx}` : target.aspect;
  tell(`warning: ${input} is not cropped to ${asked}: ${message} [${code}]`);
  if (json) writeJson({ schemaVersion: 1, photo: { path: input }, target, error: { code, message } });
}

/** The last words of a run; those of one that rejects are its error's. */
function tellEnd({ error, failures, nRefused, nTotal, nDone, review, isStopped, canResume }: BatchEnd): void {
  if (error === undefined) {
    if (failures.length > 0 && nTotal > 1) tell(failuresText(failures, nTotal));
    if (nRefused > 0 && nTotal > 1) {
      tell(`${countedAre(nRefused, 'crop')} left out, of a shape that the photo has no room for, as told above`);
    }
    if (review && review.nCrops > 0) {
      tell(`${countedAre(review.nCrops, 'crop')} left for review: framewright --hints ${review.path}`);
    }
    if (isStopped) tell(`stopped with ${nDone} of ${counted(nTotal, 'photo')} done`);
  }
  if (canResume && (isStopped || error !== undefined)) tell('the same command with --resume goes on from here');
}

function failuresText(failures: readonly BatchFailure[], nTotal: number): string {
  const listed = failures.slice(0, FAILURES_LISTED).map(({ input }) => `\n  ${input === STDIN ? 'stdin' : input}`);
  const rest = failures.length > listed.length ? `\n  and ${failures.length - listed.length} more, told above` : '';
  return `${failures.length} of ${counted(nTotal, 'photo')} failed${listed.join('')}${rest}`;
}

function rectText({ x, y, width, height }: CropRect): string {
  return `${x},${y},${width},${height}`;
}

function tell(text: string): void {
  say(`framewright: ${text}\n`);
}

function writeJson(value: unknown): void {
  printText(`${JSON.stringify(value)}\n`);
}
