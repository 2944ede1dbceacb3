import { FramewrightError } from '../../base/errors.js';

/** Whether an error says that the disk takes no more: no other photo will fare better. */
export function isFullDisk(error: unknown): boolean {
  if (!(error instanceof FramewrightError) || error.code !== 'OUTPUT_WRITE') return false;
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'].includes(cause?.code ?? '');
}
