import { expect, test } from 'vitest';
import { decoding } from '../../src/photo/failure.js';

// What libvips fails without a word at depends on its version; sharp's words for it do not.
test.each(['(Unknown error)', 'Unknown error', 'Input buffer has corrupt header: (Unknown error)'])(
  'a failure of libvips without words, %j, is told in some',
  async (message) => {
    const failing = decoding('a.jpg', () => Promise.reject(new Error(message)), undefined);
    await expect(failing).rejects.toMatchObject({
      code: 'INPUT_CORRUPT',
      message: 'a.jpg is damaged or incomplete (its pixels cannot be decoded): copy it again from where it came from',
    });
  },
);
