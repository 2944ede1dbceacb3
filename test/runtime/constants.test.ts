import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { GGML_TYPES, GGUF_VALUE_TYPES, TOKEN_TYPES } from '../../gguf/index.js';
import { DEFAULT_ALIGNMENT, MAX_TENSOR_DIMS, MAX_TENSOR_NAME_BYTES } from '../../gguf/writer.js';
import { ERROR_CODES } from '../../src/base/errors.js';
import { MAX_OUTPUT_BYTES } from '../../src/model/plan/predict.js';
import { loadBinding } from '../../src/runtime/binding.js';
import { COMMAND, FINISHES, FLASH_ATTENTION, ITEM, MAX_SEQUENCES } from '../../src/runtime/native-constants.js';
import { QUANTIZATIONS } from '../../src/runtime/quantize.js';

const { addon } = await loadBinding({ gpu: 'cpu' });
const { errorCodes, ...numbers } = addon.constants();

describe('what the addon was compiled with', () => {
  test('are the numbers that TypeScript has', () => {
    expect(numbers).toEqual({
      commands: COMMAND,
      items: ITEM,
      finishes: Object.fromEntries(FINISHES.map((name, i) => [name, i])),
      flashAttention: FLASH_ATTENTION,
      fileTypes: QUANTIZATIONS,
      tensorTypes: GGML_TYPES,
      tokenTypes: TOKEN_TYPES,
      valueTypes: GGUF_VALUE_TYPES,
      maxOutputBytes: MAX_OUTPUT_BYTES,
      maxSequences: MAX_SEQUENCES,
      maxTensorNameBytes: MAX_TENSOR_NAME_BYTES,
      maxTensorDims: MAX_TENSOR_DIMS,
      tensorAlignment: DEFAULT_ALIGNMENT,
    });
  });

  test.each(errorCodes)('the code %s is one of ours', (code) => {
    expect(ERROR_CODES).toContain(code);
  });

  test('the Node-API version is the one whose headers are asked for', () => {
    const file = readFileSync(new URL('../../native/package.json', import.meta.url), 'utf8');
    const { binary } = JSON.parse(file) as { binary: { napi_versions: number[] } };
    expect(binary.napi_versions).toEqual([addon.versions().napi]);
  });
});
