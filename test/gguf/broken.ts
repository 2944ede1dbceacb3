import { open } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import {
  describeToyPair,
  validateMmproj,
  validateText,
  writeGguf,
  type FamilyName,
  type GgufProblem,
  type GgufValue,
  type TensorToWrite,
} from '../../gguf/index.js';

export type Which = 'text' | 'mmproj';

/** A toy's file whose parts can be changed before it is written. */
export interface Draft {
  readonly metadata: Map<string, GgufValue>;
  tensors: TensorToWrite[];
  alignment?: number;
}

export function draftOf(which: Which, family: FamilyName = 'qwen2vl'): Draft {
  const { metadata, tensors } = describeToyPair({ sparse: true, family })[which];
  return { metadata: new Map(metadata), tensors: [...tensors] };
}

/** What validation finds in a toy's file after one change. */
export async function problemsAfter(
  folder: string,
  which: Which,
  change: (draft: Draft) => void,
  family?: FamilyName,
): Promise<readonly GgufProblem[]> {
  const draft = draftOf(which, family);
  change(draft);
  const file = path.join(folder, `${which}.gguf`);
  await writeGguf(file, draft);
  return which === 'text' ? validateText(file) : validateMmproj(file);
}

/** What is broken, and which problems, told by their `where`, must come of it; the message of the first. */
export type Case = readonly [string, (draft: Draft) => void, readonly string[], RegExp];

export async function expectProblems(
  folder: string,
  which: Which,
  [, change, wheres, message]: Case,
  family?: FamilyName,
): Promise<void> {
  const problems = await problemsAfter(folder, which, change, family);
  expect(problems.map(({ where }) => where)).toEqual(wheres);
  expect(problems[0]?.message).toMatch(message);
  expect(problems[0]?.message).toContain(path.join(folder, `${which}.gguf`));
}

export function set(key: string, value: GgufValue): (draft: Draft) => void {
  return ({ metadata }) => void metadata.set(key, value);
}

export function drop(key: string): (draft: Draft) => void {
  return ({ metadata }) => void metadata.delete(key);
}

export function dropTensor(name: string): (draft: Draft) => void {
  return (draft) => {
    draft.tensors = draft.tensors.filter((tensor) => tensor.name !== name);
  };
}

export function changeTensor(name: string, change: Partial<TensorToWrite>): (draft: Draft) => void {
  return (draft) => {
    draft.tensors = draft.tensors.map((tensor) => (tensor.name === name ? { ...tensor, ...change } : tensor));
  };
}

export function addTensor(tensor: Omit<TensorToWrite, 'data'>): (draft: Draft) => void {
  return ({ tensors }) => void tensors.push({ ...tensor, data: 'hole' });
}

/** Changes tokens and their types in place. */
export function editTokens(edit: (tokens: string[], types: number[]) => void): (draft: Draft) => void {
  return ({ metadata }) => {
    const tokens = [...(metadata.get('tokenizer.ggml.tokens')!.value as readonly string[])];
    const types = Array.from(metadata.get('tokenizer.ggml.token_type')!.value as Int32Array);
    edit(tokens, types);
    metadata.set('tokenizer.ggml.tokens', { type: 'array', itemType: 'string', value: tokens });
    metadata.set('tokenizer.ggml.token_type', { type: 'array', itemType: 'int32', value: Int32Array.from(types) });
  };
}

/** Overwrites the offset of a tensor in a file's header. */
export async function patchOffset(file: string, tensorName: string, nDims: number, offset: number): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const header = Buffer.alloc(1 << 16);
    await handle.read(header, 0, header.length, 0);
    const name = Buffer.alloc(8 + tensorName.length);
    name.writeBigUInt64LE(BigInt(tensorName.length));
    name.write(tensorName, 8);
    const at = header.indexOf(name) + name.length + 4 + 8 * nDims + 4;
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(offset));
    await handle.write(bytes, 0, 8, at);
  } finally {
    await handle.close();
  }
}
