import { decoding } from './failure.js';
import { BLEND, DISPOSE, type Apng, type ApngFrame } from './formats/apng.js';
import { sharp } from './vips.js';

const CHANNELS = 4;

/**
 * All frames as a screen shows them, one below the other, in a file that libvips reads as one of several pages: a TIFF,
 * for it reads of an APNG the first frame alone.
 *
 * @throws FramewrightError INPUT_CORRUPT
 */
export async function movingPixels(name: string, apng: Apng, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const { width, height, frames } = apng;
  const canvas = Buffer.alloc(CHANNELS * width * height);
  const roll = Buffer.alloc(canvas.length * frames.length);
  for (const [i, frame] of frames.entries()) {
    const pixels = await decoding(name, () => rgbaOf(frame.png), signal);
    // What is to be there again once the frame is over; before the first frame there is nothing.
    const before = frame.dispose === DISPOSE.previous ? Buffer.from(canvas) : undefined;
    put(canvas, width, frame, pixels);
    roll.set(canvas, i * canvas.length);
    if (before) canvas.set(before);
    else if (frame.dispose === DISPOSE.background) put(canvas, width, { ...frame, blend: BLEND.source }, NOTHING);
  }
  const raw = { width, height: height * frames.length, channels: CHANNELS, pageHeight: height } as const;
  return decoding(
    name,
    () => sharp(roll, { raw, limitInputPixels: false }).tiff({ compression: 'deflate' }).toBuffer(),
    signal,
  );
}

function rgbaOf(png: Uint8Array): Promise<Buffer> {
  return sharp(png, { failOn: 'warning', limitInputPixels: false })
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer();
}

const NOTHING = undefined;

/** @param pixels RGBA of the frame; undefined: nothing, transparent black */
function put(canvas: Buffer, width: number, frame: ApngFrame, pixels: Buffer | undefined): void {
  for (let y = 0; y < frame.height; y++) {
    const to = CHANNELS * ((frame.y + y) * width + frame.x);
    const from = CHANNELS * y * frame.width;
    const row = CHANNELS * frame.width;
    if (!pixels) canvas.fill(0, to, to + row);
    else if (frame.blend !== BLEND.over) canvas.set(pixels.subarray(from, from + row), to);
    else for (let at = 0; at < row; at += CHANNELS) blendOver(canvas, to + at, pixels, from + at);
  }
}

/** Alpha compositing of values that are not multiplied by it. */
function blendOver(canvas: Buffer, to: number, pixels: Buffer, from: number): void {
  const alpha = pixels[from + 3]!;
  const below = canvas[to + 3]!;
  if (alpha === 0) return;
  if (alpha === 255 || below === 0) {
    canvas.set(pixels.subarray(from, from + CHANNELS), to);
    return;
  }
  const both = 255 * alpha + below * (255 - alpha);
  for (let c = 0; c < 3; c++) {
    canvas[to + c] = Math.round((255 * alpha * pixels[from + c]! + below * (255 - alpha) * canvas[to + c]!) / both);
  }
  canvas[to + 3] = Math.round(both / 255);
}
