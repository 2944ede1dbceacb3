import path from 'node:path';
import { FramewrightError, messageOf } from '../../base/errors.js';
import type { Photo } from '../../photo/decode.js';
import { outputFormatOf } from '../../photo/output-format.js';
import { checkOutput } from '../../files/write.js';
import { checkFolder } from '../../files/make-folder.js';
import { ContactSheet } from '../../report/contact-sheet.js';
import { CropReport } from '../../report/crop-report.js';
import type { CropResult } from '../../base/schema.js';
import { codeOf } from '../../cli/terminal/report-error.js';
import type { SummaryFile } from './write-summaries.js';

/** Gathers what a run gives, photo by photo, for one file about all of it. */
export interface Summary extends SummaryFile {
  add(input: string, photo: Photo, results: readonly CropResult[], signal: AbortSignal): Promise<void>;
  fail(input: string, error: unknown): void;
}

export interface SummaryFlags {
  readonly report?: string;
  readonly contactSheet?: string;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/**
 * The summaries asked for, once it is sure that their files can be written.
 *
 * @param nCrops of all photos together.
 * @param isOurs whether a file that is there may be replaced all the same
 * @throws FramewrightError OUTPUT_EXISTS, OUTPUT_WRITE; USAGE for a contact sheet whose name says no format.
 */
export async function openSummaries(
  flags: SummaryFlags,
  nPhotos: number,
  nCrops: number,
  isOurs: (file: string) => Promise<boolean>,
): Promise<Summary[]> {
  const summaries: Summary[] = [];
  if (flags.report !== undefined) {
    await checkPlace(flags.report, flags.force || (await isOurs(flags.report)));
    summaries.push(reportSummary(flags.report, flags, nPhotos));
  }
  if (flags.contactSheet !== undefined) {
    await checkPlace(flags.contactSheet, flags.force || (await isOurs(flags.contactSheet)));
    summaries.push(sheetSummary(flags.contactSheet, nCrops));
  }
  return summaries;
}

async function checkPlace(file: string, mayReplace: boolean): Promise<void> {
  await checkOutput(file, { force: mayReplace });
  await checkFolder(path.dirname(file));
}

function reportSummary(file: string, { dryRun }: SummaryFlags, nPlanned: number): Summary {
  const report = new CropReport({ nPlanned, isDryRun: dryRun });
  return {
    path: file,
    add: (input, photo, results, signal) => report.add(input, photo, results, signal),
    fail: (input, error) => report.fail({ path: input, code: codeOf(error), message: messageOf(error) }),
    render: async () => Buffer.from(await report.render()),
  };
}

function sheetSummary(file: string, nCrops: number): Summary {
  const format = outputFormatOf(file);
  if (!format) throw new FramewrightError('USAGE', `${file} names no picture format; call it e.g. sheet.jpg`);
  const sheet = new ContactSheet(nCrops);
  return {
    path: file,
    add: async (input, photo, results, signal) => {
      for (const result of results) await sheet.add(input, photo, result, signal);
    },
    fail: () => undefined,
    render: async () => (sheet.nAdded > 0 ? sheet.render(format) : undefined),
  };
}
