import { readCheckedLog } from '../../files/checked-log.js';
import { isRecord, type DoneRecord } from './journal-record.js';

/**
 * Hands over what a journal says of photos that are done, oldest first; where there is no journal, nothing is.
 *
 * @throws FramewrightError INPUT_UNREADABLE for a link or what is no file; the system's error
 */
export async function readDone(file: string, take: (record: DoneRecord) => void): Promise<void> {
  await readCheckedLog(file, (value) => {
    if (isRecord(value) && value.what === 'done') take(value);
    return true;
  }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}
