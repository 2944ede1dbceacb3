import type { Cropper } from '../../cropper/cropper.js';
import { cropFiles, type CropRun, type RunEnd, type RunMemory } from '../../batch/run/batch-run.js';
import type { BatchInterrupt } from './interrupt.js';
import { photoErrorText } from './report-error.js';

/** Failures listed at the end; each was told when it happened. */
const FAILURES_LISTED = 50;

/** How to go on with a run that has a journal. */
export const GO_ON = 'framewright: the same command with --resume goes on from here\n';

/** What became of a run, as its exit code tells. */
export interface RunOutcome {
  readonly nFailed: number;
  readonly isStopped: boolean;
}

/** Runs it, and tells how it ended. */
export async function cropAndTell(
  cropper: Pick<Cropper, 'cropEach'>,
  run: CropRun,
  interrupt: BatchInterrupt,
  memory?: RunMemory,
): Promise<RunOutcome> {
  if (run.plan.length > 1) interrupt.beginPhotos();
  const end = await cropFiles(cropper, run, interrupt, memory);
  const isStopped = interrupt.noMore.aborted && end.nDone + end.failures.length < run.plan.length;
  tellEnd(run, end, { isStopped, canResume: memory !== undefined });
  return { nFailed: end.failures.length, isStopped };
}

/** The last words of a run, on stderr. */
function tellEnd(
  { plan, review }: Pick<CropRun, 'plan' | 'review'>,
  { failures, nDone }: RunEnd,
  { isStopped, canResume }: { readonly isStopped: boolean; readonly canResume: boolean },
): void {
  if (failures.length > 0 && plan.length > 1) {
    const listed = failures.slice(0, FAILURES_LISTED).map(({ input, error }) => `  ${photoErrorText(input, error)}\n`);
    const rest = failures.length > listed.length ? `  and ${failures.length - listed.length} more, told above\n` : '';
    process.stderr.write(`framewright: ${failures.length} of ${plan.length} photos failed\n${listed.join('')}${rest}`);
  }
  if (review && review.size > 0) {
    process.stderr.write(`framewright: ${review.size} crops are left for review: framewright --hints ${review.path}\n`);
  }
  if (!isStopped) return;
  process.stderr.write(`framewright: stopped with ${nDone} of ${plan.length} photos done\n`);
  if (canResume) process.stderr.write(GO_ON);
}
