import { access } from 'node:fs/promises';
import { FramewrightError } from '../../base/errors.js';
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
  const files = planned.flatMap(filesOf).filter((file) => file !== STDOUT);
  const isInTheWay = await Promise.all(
    files.map(async (file) => {
      const isThere = await access(file).then(
        () => true,
        () => false,
      );
      return isThere && !(await isOurs(file));
    }),
  );
  const existing = files.filter((_, i) => isInTheWay[i]);
  if (existing.length === 0) return;
  const what = existing.length > 1 ? `${existing[0]!} and ${existing.length - 1} more exist` : `${existing[0]!} exists`;
  throw new FramewrightError('OUTPUT_EXISTS', `${what} already; ${remedy}`);
}
