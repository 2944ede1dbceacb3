import { FAMILIES, familyOfText } from '../families/index.js';
import { checkNumberPolicy } from '../number-policy.js';
import { pairUpLora, type LoraHalf } from '../lora-pairs.js';
import type { GgufHeader, GgufTensor } from '../reader.js';
import type { GgufMetadata } from '../values.js';
import { checkLayout } from './layout.js';
import { refuseKeys, requireF32 } from './metadata.js';
import { quote, type Check } from './problem.js';
import { checkTensor, shapeText } from './tensors.js';

const ALPHA = 'adapter.lora.alpha';

/**
 * A LoRA adapter as llama-adapter.cpp loads it onto `base` and llama-graph.cpp applies it: it asserts the types of keys,
 * looks at no tensor's type, and leaves out what it cannot apply.
 */
export function* checkLora(header: GgufHeader, base: GgufHeader): Check<true | undefined> {
  if (!(yield* checkKind(header.metadata, base.metadata))) return undefined;
  yield* checkLayout(header);
  if (header.metadata.has(ALPHA)) yield* requireF32(header.metadata, ALPHA, { min: -1e6, max: 1e6 });
  yield* checkNumberPolicy(header.metadata);
  yield* refuseKeys(header.metadata, 'LoRA adapter', [['adapter.alora.invocation_tokens', () => false]]);
  const baseTensors = new Map(base.tensors.map((tensor) => [tensor.name, tensor]));
  const { pairs, others } = pairUpLora(header.tensors);
  for (const { name } of others)
    yield {
      where: `tensor ${name}`,
      found: 'present',
      required: 'must not be there: only halves of low-rank pairs are applied',
      code: 'UNSUPPORTED',
    };
  for (const [name, halves] of pairs) yield* checkPair(name, halves, baseTensors.get(name), base);
  return true;
}

function* checkKind(metadata: GgufMetadata, base: GgufMetadata): Check<boolean> {
  const family = familyOfText(base) ?? FAMILIES.qwen2vl;
  const wanted = { 'general.type': 'adapter', 'adapter.type': 'lora', 'general.architecture': family.architecture };
  for (const [key, value] of Object.entries(wanted)) {
    const entry = metadata.get(key);
    if (entry?.type === 'string' && entry.value === value) continue;
    const found = entry === undefined ? 'missing' : entry.type === 'string' ? quote(entry.value) : entry.type;
    const isOther = entry === undefined || entry.type === 'string';
    const required = `must be the string ${quote(value)}: only LoRA adapters for ${family.title} are applied to this model`;
    yield { where: key, found, required, ...(isOther ? { code: 'UNSUPPORTED' } : {}) };
    return false;
  }
  return true;
}

/** Of the blocks that guess ahead, which llama.cpp leaves out. */
function isLeftOut(name: string, base: GgufMetadata): boolean {
  const { architecture } = familyOfText(base) ?? FAMILIES.qwen2vl;
  const nMtp = Number(base.get(`${architecture}.nextn_predict_layers`)?.value ?? 0);
  const nBlock = Number(base.get(`${architecture}.block_count`)?.value);
  const block = /^blk\.(\d+)\./.exec(name)?.[1];
  return nMtp > 0 && block !== undefined && Number(block) >= nBlock - nMtp;
}

function* checkPair(
  name: string,
  { a, b }: Readonly<Partial<Record<LoraHalf, GgufTensor>>>,
  base: GgufTensor | undefined,
  { path: basePath, metadata }: GgufHeader,
): Check {
  const where = `tensor ${(a ?? b)!.name}`;
  if (!a || !b) {
    yield { where, found: 'one half', required: `must have the other, ${name}.lora_${a ? 'b' : 'a'}` };
    return;
  }
  // Adapted embeddings lie the other way round, and abort where they are the output matrix too. Vectors, of norms and
  // biases, are not multiplied with anything an adapter could be added to, and a convolution looks for none.
  const isMatrix = base?.shape.length === 2 && !name.endsWith('.ssm_conv1d.weight');
  if (name === 'token_embd.weight' || !isMatrix || isLeftOut(name, metadata)) {
    const required = base
      ? 'must not be there: only the matrices of layers and output are adapted'
      : `must be for a tensor of ${basePath}: the adapter is for another model`;
    yield { where, found: base ? `for ${name}` : `for ${name}, which is not there`, required };
    return;
  }
  const [nIn, nOut] = base.shape as [number, number];
  const rank = a.shape[1] ?? 1;
  const of = `, for ${name} of ${shapeText(base.shape)} in ${basePath}`;
  yield* checkTensor(a, { shape: [nIn, rank], kind: 'matrix' }, of);
  yield* checkTensor(b, { shape: [rank, nOut], kind: 'matrix' }, of);
}
