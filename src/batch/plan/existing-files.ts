import { existsSync } from 'node:fs';
import { FramewrightError } from '../../base/errors.js';
import { inSlices } from '../../files/in-slices.js';
import { filesOf, STDOUT, type PlannedPhoto } from './planned-photo.js';

/** What to do about files that are there already. */
export const REMEDY = '--force overwrites, --output names another place';

/**
 * @param isOurs which of the files that are there may be replaced all the same
 * @throws FramewrightError OUTPUT_EXISTS where any other is there already
 */
export async function refuseExisting(
  planned: readonly PlannedPhoto[],
  remedy: string,
  isOurs: (file: string) => Promise<boolean> = () => Promise.resolve(false),
): Promise<void> {
  const there: string[] = [];
  await inSlices(planned, (photo) => {
    for (const file of filesOf(photo)) if (file !== STDOUT && existsSync(file)) there.push(file);
  });
  const existing: string[] = [];
  for (const file of there) if (!(await isOurs(file))) existing.push(file);
  if (existing.length === 0) return;
  const what = existing.length > 1 ? `${existing[0]!} and ${existing.length - 1} more exist` : `${existing[0]!} exists`;
  throw new FramewrightError('OUTPUT_EXISTS', `${what} already; ${remedy}`);
}
