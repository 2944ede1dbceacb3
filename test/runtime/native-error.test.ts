import { describe, expect, test } from 'vitest';
import { ERROR_CODES, FramewrightError } from '../../src/base/errors.js';
import { fromNative } from '../../src/runtime/native-error.js';

describe('what the addon throws', () => {
  test.each(ERROR_CODES)('keeps its code %s and its message', (code) => {
    const cause = Object.assign(new Error('why'), { code });
    expect(fromNative(cause)).toMatchObject({ code, message: 'why', cause });
  });

  test.each([
    ["Node's own error", Object.assign(new TypeError('why'), { code: 'ERR_INVALID_ARG_TYPE' })],
    ['a system error', Object.assign(new Error('why'), { code: 'ENOENT' })],
    ['a code that is none of ours', Object.assign(new Error('why'), { code: 'KV_FULL' })],
    ['a property that every array has', Object.assign(new Error('why'), { code: 'length' })],
    ['a number', Object.assign(new Error('why'), { code: 0 })],
    ['no code', new Error('why')],
    ['no error', 'why'],
  ])('becomes INTERNAL with its text kept where it has %s', (_, cause) => {
    expect(fromNative(cause)).toMatchObject({ code: 'INTERNAL', message: 'why', cause });
  });

  test("stays the library's own error if it is one", () => {
    const error = new FramewrightError('GRAMMAR', 'why');
    expect(fromNative(error)).toBe(error);
  });
});
