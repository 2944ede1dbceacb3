import { expect, test } from 'vitest';
import { defined } from '../../src/base/defined.js';

test('leaves out what is undefined, and nothing else that is empty', () => {
  const kept = { no: false, zero: 0, none: null, text: '', list: [] };
  expect(Object.entries(defined({ absent: undefined, ...kept }))).toEqual(Object.entries(kept));
});
