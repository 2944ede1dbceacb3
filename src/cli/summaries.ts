import { messageOf } from '../errors.js';
import type { Photo } from '../image/decode.js';
import { checkOutput, writeFileAtomic } from '../image/write.js';
import { CropReport } from '../report/crop-report.js';
import type { CropResult } from '../schema.js';
import { codeOf } from './report-error.js';

/** Gathers what a run gives, photo by photo, for one file about all of it. */
export interface Summary {
  add(input: string, photo: Photo, results: readonly CropResult[], signal: AbortSignal): Promise<void>;
  fail(input: string, error: unknown): void;
  /** Writes the file, of what there is by now. */
  write(): Promise<void>;
}

export interface SummaryFlags {
  readonly report?: string;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/**
 * The summaries asked for, once it is sure that their files can be written.
 *
 * @throws FramewrightError OUTPUT_EXISTS, OUTPUT_WRITE
 */
export async function openSummaries(flags: SummaryFlags, nPlanned: number): Promise<Summary[]> {
  const summaries: Summary[] = [];
  if (flags.report !== undefined) {
    await checkOutput(flags.report, { force: flags.force });
    summaries.push(reportSummary(flags.report, flags, nPlanned));
  }
  return summaries;
}

function reportSummary(file: string, { force, dryRun }: SummaryFlags, nPlanned: number): Summary {
  const report = new CropReport({ nPlanned, isDryRun: dryRun });
  return {
    add: (input, photo, results, signal) => report.add(input, photo, results, signal),
    fail: (path, error) => report.fail({ path, code: codeOf(error), message: messageOf(error) }),
    write: async () => writeFileAtomic(file, Buffer.from(await report.render()), { force }),
  };
}
