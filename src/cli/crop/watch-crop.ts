import type { BatchListener } from '../../batch/listener.js';
import { watchBatch } from '../../batch/watch/watch-batch.js';
import type { BatchInterrupt } from '../terminal/interrupt.js';
import { say } from '../terminal/visible.js';
import { watchOptionsOf, type CropFlags } from './crop-flags.js';

/** Crops what arrives until the first Ctrl-C, which lets the photo in hand be finished; ends well then. */
export async function watchCrop(
  folders: readonly string[],
  flags: CropFlags,
  interrupt: BatchInterrupt,
  listener: BatchListener,
): Promise<void> {
  interrupt.beginPhotos();
  const where = folders.length === 1 ? folders[0]! : `${folders.length} places`;
  await watchBatch(watchOptionsOf(folders, flags, interrupt), {
    ...listener,
    onOpen: (cropper) => {
      listener.onOpen?.(cropper);
      say(`framewright: watching ${where}; Ctrl-C ends it\n`);
    },
    // Between one arrival and the next that is no news.
    onResume: (begin) => {
      if (begin.nEarlier > 0) listener.onResume?.(begin);
    },
  });
}
