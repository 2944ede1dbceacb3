import sharp from 'sharp';
import { expect, test } from 'vitest';
import { decodePhoto } from '../../../src/photo/decode.js';
import { captureTimeMs } from '../../../src/photo/metadata/capture-time.js';

async function timeIn(tags: Record<string, string>): Promise<number | undefined> {
  const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: '#345678' } });
  if (Object.keys(tags).length > 0) picture.withExif({ IFD2: tags });
  return captureTimeMs(await decodePhoto(await picture.jpeg().toBuffer()));
}

test('a photo says when it was taken, to the fraction of a second that its camera notes', async () => {
  const DateTimeOriginal = '2024:02:29 23:59:58';
  const second = Date.UTC(2024, 1, 29, 23, 59, 58);
  expect(await timeIn({ DateTimeOriginal })).toBe(second);
  expect(await timeIn({ DateTimeOriginal, SubSecTimeOriginal: '25' })).toBe(second + 250);
  expect(await timeIn({ DateTimeOriginal, SubSecTimeOriginal: '007' })).toBe(second + 7);
  expect(await timeIn({ DateTimeOriginal, SubSecTimeOriginal: 'none' })).toBe(second);
});

test('one that does not, or whose clock was never set, says nothing', async () => {
  expect(await timeIn({})).toBeUndefined();
  expect(await timeIn({ DateTimeOriginal: '0000:00:00 00:00:00' })).toBeUndefined();
  expect(await timeIn({ DateTimeOriginal: 'yesterday' })).toBeUndefined();
  expect(await timeIn({ DateTimeDigitized: '2024:02:29 23:59:58' })).toBeUndefined();
});
