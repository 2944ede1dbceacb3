import type { GgufHeader, GgufTensor } from '../reader.js';
import type { GgmlType } from '../types.js';
import type { Check } from './problem.js';

export type TensorKind = 'matrix' | 'vector' | 'kernel';

export interface ExpectedTensor {
  readonly shape: readonly number[];
  readonly kind: TensorKind;
  readonly required: boolean;
}

/** By tensor name. */
export type ExpectedTensors = ReadonlyMap<string, ExpectedTensor>;

/** Types a backend without a dot product or row lookup for them aborts on, once it computes (ggml-cpu.c, ops.cpp). */
const NO_MATRIX_TYPES: ReadonlySet<GgmlType> = new Set(['Q8_1', 'Q8_K', 'I8', 'I16', 'I32', 'I64', 'F64']);

/** Whether a model's matrices can be of this type. */
export function isMatrixType(type: GgmlType): boolean {
  return !NO_MATRIX_TYPES.has(type);
}

const KIND_RULES: Readonly<Record<TensorKind, { allows: (type: GgmlType) => boolean; required: string }>> = {
  matrix: { allows: isMatrixType, required: 'must be of a type weights can have' },
  // Norms and biases are added to and multiplied with F32 values; binary-ops.cpp aborts on any other second operand.
  vector: { allows: (type) => type === 'F32', required: 'must be F32' },
  // im2col (ops.cpp) takes these two.
  kernel: { allows: (type) => type === 'F32' || type === 'F16', required: 'must be F32 or F16' },
};

/** Every tensor that has to be there, none that is unknown, each with its shape and a type it can have. */
export function* checkTensors(header: GgufHeader, expected: ExpectedTensors): Check {
  const byName = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
  for (const [name, rule] of expected) {
    const tensor = byName.get(name);
    if (tensor) yield* checkTensor(tensor, rule);
    else if (rule.required)
      yield { where: `tensor ${name}`, found: 'missing', required: `must be ${shapeText(rule.shape)}` };
  }
  for (const name of byName.keys()) {
    if (!expected.has(name)) {
      yield { where: `tensor ${name}`, found: 'present', required: 'must not be there: it is no part of this model' };
    }
  }
}

/** One tensor's type, and its shape, for which `why` may give the reason. */
export function* checkTensor(tensor: GgufTensor, rule: Pick<ExpectedTensor, 'shape' | 'kind'>, why = ''): Check {
  const where = `tensor ${tensor.name}`;
  if (!isSameShape(tensor.shape, rule.shape)) {
    yield { where, found: shapeText(tensor.shape), required: `must be ${shapeText(rule.shape)}${why}` };
  }
  const { allows, required } = KIND_RULES[rule.kind];
  if (!allows(tensor.type)) yield { where, found: tensor.type, required };
}

/** Trailing dimensions of 1 do not count. */
function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 1) === (b[i] ?? 1)).every(Boolean);
}

export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
