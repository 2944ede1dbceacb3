import type { GgufHeader } from '../reader.js';
import { isInsideFile } from '../tensor-data.js';
import { alignUp } from '../types.js';
import type { Check } from './problem.js';

/** Alignment of ggml's CPU buffers: mapped tensors must lie on it, or loading aborts (ggml-backend.cpp, TENSOR_ALIGNMENT). */
const BUFFER_ALIGNMENT = 32;

/** Tensors lie one after another, aligned, inside the file, as gguf.cpp demands. */
export function* checkLayout(header: GgufHeader): Check {
  if (header.alignment % BUFFER_ALIGNMENT !== 0) {
    yield {
      where: 'general.alignment',
      found: String(header.alignment),
      required: `must be a multiple of ${BUFFER_ALIGNMENT}`,
    };
  }
  if (header.tensors.length === 0) yield { where: 'file', found: 'no tensors', required: 'must hold some' };
  let expected = 0;
  let previous = 'the header';
  for (const tensor of header.tensors) {
    if (tensor.offset !== expected) {
      yield {
        where: `tensor ${tensor.name}`,
        found: `data at offset ${tensor.offset}`,
        required: `must begin at ${expected}, right after ${previous}`,
      };
    }
    if (!isInsideFile(header, tensor)) {
      yield {
        where: `tensor ${tensor.name}`,
        found: `data up to byte ${header.dataStart + tensor.offset + tensor.nBytes}`,
        required: `must end within the file's ${header.fileBytes} bytes; it may have been cut off while downloading`,
        code: 'TRUNCATED',
      };
    }
    expected += alignUp(tensor.nBytes, header.alignment);
    previous = tensor.name;
  }
}
