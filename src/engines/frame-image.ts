import type { Box, Size } from '../base/geometry.js';

/** What an engine looks at: RGB, row major, `frame.width * frame.height * 3` bytes. */
export interface FrameImage {
  readonly frame: Size;
  readonly rgb: Uint8Array;
  /** What surely are heads of people, where they were looked for, in its pixels. */
  readonly headsInFrame?: readonly Box[];
}
