import path from 'node:path';
import { FramewrightError, messageOf } from '../errors.js';
import type { Photo } from '../image/decode.js';
import { outputFormatOf } from '../image/encode.js';
import { checkOutput, writeFileAtomic, type WriteOptions } from '../image/write.js';
import { checkFolder, makeFolder } from '../make-folder.js';
import { ContactSheet } from '../report/contact-sheet.js';
import { CropReport } from '../report/crop-report.js';
import type { CropResult } from '../schema.js';
import { codeOf, errorLine } from './report-error.js';

/** Gathers what a run gives, photo by photo, for one file about all of it. */
export interface Summary {
  add(input: string, photo: Photo, results: readonly CropResult[], signal: AbortSignal): Promise<void>;
  fail(input: string, error: unknown): void;
  /** Writes the file, of what there is by now. */
  write(): Promise<void>;
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
 * @throws FramewrightError OUTPUT_EXISTS, OUTPUT_WRITE; USAGE for a contact sheet whose name says no format.
 */
export async function openSummaries(flags: SummaryFlags, nPhotos: number, nCrops: number): Promise<Summary[]> {
  const summaries: Summary[] = [];
  if (flags.report !== undefined) {
    await checkPlace(flags.report, flags);
    summaries.push(reportSummary(flags.report, flags, nPhotos));
  }
  if (flags.contactSheet !== undefined) {
    await checkPlace(flags.contactSheet, flags);
    summaries.push(sheetSummary(flags.contactSheet, flags, nCrops));
  }
  return summaries;
}

/**
 * Writes each file, whatever becomes of the others.
 *
 * @throws the first failure; further ones are told on stderr.
 */
export async function writeEach(files: readonly Pick<Summary, 'write'>[]): Promise<void> {
  const errors: unknown[] = [];
  for (const file of files) await file.write().catch((error: unknown) => errors.push(error));
  const [first, ...others] = errors;
  for (const error of others) process.stderr.write(`${errorLine(error)}\n`);
  if (errors.length > 0) throw first;
}

async function checkPlace(file: string, { force }: SummaryFlags): Promise<void> {
  await checkOutput(file, { force });
  await checkFolder(path.dirname(file));
}

/** As crops, whose folder is made with the first. */
async function writeInFolder(file: string, bytes: Uint8Array, options: WriteOptions): Promise<void> {
  await makeFolder(path.dirname(file));
  await writeFileAtomic(file, bytes, options);
}

function reportSummary(file: string, { force, dryRun }: SummaryFlags, nPlanned: number): Summary {
  const report = new CropReport({ nPlanned, isDryRun: dryRun });
  return {
    add: (input, photo, results, signal) => report.add(input, photo, results, signal),
    fail: (input, error) => report.fail({ path: input, code: codeOf(error), message: messageOf(error) }),
    write: async () => writeInFolder(file, Buffer.from(await report.render()), { force }),
  };
}

function sheetSummary(file: string, { force }: SummaryFlags, nCrops: number): Summary {
  const format = outputFormatOf(file);
  if (!format) throw new FramewrightError('USAGE', `${file} names no picture format; call it e.g. sheet.jpg`);
  const sheet = new ContactSheet(nCrops);
  return {
    add: async (input, photo, results, signal) => {
      for (const result of results) await sheet.add(input, photo, result, signal);
    },
    fail: () => undefined,
    write: async () => {
      if (sheet.nAdded > 0) await writeInFolder(file, await sheet.render(format), { force });
    },
  };
}
