import { codeOf, FramewrightError, messageOf } from '../../base/errors.js';
import type { CropResult, RefusedTarget } from '../../base/schema.js';
import { checkOutput, checkOutputFolder } from '../../files/write.js';
import type { Photo } from '../../photo/decode.js';
import { outputFormatOf } from '../../photo/output-format.js';
import { ContactSheet } from '../../report/contact-sheet.js';
import { CropReport } from '../../report/crop-report.js';
import type { PlannedPhoto } from '../plan/planned-photo.js';
import type { BatchSettings } from '../settings.js';
import type { Summary } from './write-summaries.js';

/** A summary that shows every photo of a run: a report, a contact sheet. */
export interface Overview extends Summary {
  add(
    input: string,
    photo: Photo,
    made: { readonly results: readonly CropResult[]; readonly refused: readonly RefusedTarget[] },
    signal: AbortSignal,
  ): Promise<void>;
  fail(input: string, error: unknown): void;
}

/**
 * The overviews asked for, once it is sure that their files can be written.
 *
 * @param mayReplace whether a file that is there may be written over
 * @throws FramewrightError OUTPUT_EXISTS, OUTPUT_WRITE; USAGE for a contact sheet whose name says no format.
 */
export async function openOverviews(
  { report, contactSheet, dryRun }: Pick<BatchSettings, 'report' | 'contactSheet' | 'dryRun'>,
  photos: readonly PlannedPhoto[],
  mayReplace: (file: string) => Promise<boolean>,
): Promise<Overview[]> {
  const overviews: Overview[] = [];
  if (report !== undefined) {
    await checkPlace(report, await mayReplace(report));
    overviews.push(reportOverview(report, new CropReport({ nPlanned: photos.length, isDryRun: dryRun })));
  }
  if (contactSheet !== undefined) {
    await checkPlace(contactSheet, await mayReplace(contactSheet));
    overviews.push(sheetOverview(contactSheet, photos.flatMap(({ crops }) => crops).length));
  }
  return overviews;
}

async function checkPlace(file: string, mayReplace: boolean): Promise<void> {
  await checkOutput(file, { force: mayReplace });
  await checkOutputFolder(file, { isMade: true });
}

function reportOverview(file: string, report: CropReport): Overview {
  return {
    path: file,
    add: async (input, photo, { results, refused }, signal) => {
      for (const { code, detail } of refused) report.refuse({ path: input, code, message: detail });
      await report.add(input, photo, results, signal);
    },
    fail: (input, error) => report.fail({ path: input, code: codeOf(error), message: messageOf(error) }),
    render: async () => Buffer.from(await report.render()),
  };
}

function sheetOverview(file: string, nCrops: number): Overview {
  const format = outputFormatOf(file);
  if (!format) throw new FramewrightError('USAGE', `${file} names no picture format; call it e.g. sheet.jpg`);
  const sheet = new ContactSheet(nCrops);
  return {
    path: file,
    add: async (input, photo, { results }, signal) => {
      for (const result of results) await sheet.add(input, photo, result, signal);
    },
    fail: () => undefined,
    render: async () => (sheet.nAdded > 0 ? sheet.render(format) : undefined),
  };
}
