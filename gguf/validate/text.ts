import type { GgufHeader } from '../reader.js';
import type { TextShape } from '../toy-shapes.js';
import type { GgufMetadata } from '../values.js';
import { checkLayout } from './layout.js';
import {
  optionalF32,
  optionalU32,
  refuseKeys,
  requireNumbers,
  requireString,
  requireTypes,
  requireU32,
} from './metadata.js';
import { quote, type Check } from './problem.js';
import { checkTensors, type ExpectedTensor, type ExpectedTensors } from './tensors.js';
import { checkTokenizer } from './tokenizer.js';

/** LLAMA_MAX_LAYERS (llama-hparams.h): one more aborts. */
const MAX_LAYERS = 512;
const MAX_WIDTH = 2 ** 17;
/** Heads far outside make attention buffers larger than the model. Qwen2.5-VL's have 128. */
const HEAD_SIZE = { min: 8, max: 512 };

export type TextSizes = Omit<TextShape, 'tied'>;

/** A text model as src/models/qwen2vl.cpp loads and runs it. Returns its sizes. */
export function* checkText(header: GgufHeader): Check<TextSizes | undefined> {
  const { metadata } = header;
  if (!(yield* checkKind(metadata))) return undefined;
  yield* checkLayout(header);
  const sizes = yield* checkSizes(metadata);
  yield* checkRope(metadata, sizes);
  yield* refuseOtherComputation(metadata, sizes);
  const nVocab = yield* checkTokenizer(metadata);
  if (sizes && nVocab !== undefined) yield* checkTensors(header, expectedTensors(sizes, nVocab));
  return sizes;
}

function* checkKind(metadata: GgufMetadata): Check<boolean> {
  yield* requireTypes(metadata, { 'general.name': 'string', 'general.file_type': 'uint32' });
  const architecture = metadata.get('general.architecture')?.value;
  const type = metadata.get('general.type')?.value ?? 'model';
  if (architecture === 'qwen2vl' && type === 'model') return true;
  const found = architecture === 'qwen2vl' ? `general.type ${quote(type)}` : quote(architecture ?? 'missing');
  const reason =
    architecture === 'clip'
      ? 'this is a vision (mmproj) file'
      : architecture === 'qwen2vl'
        ? 'this is no whole model'
        : 'only Qwen2.5-VL models are run';
  yield {
    where: 'general.architecture',
    found,
    required: `must be the text model "qwen2vl": ${reason}`,
    code: 'UNSUPPORTED',
  };
  return false;
}

function* checkSizes(metadata: GgufMetadata): Check<TextSizes | undefined> {
  const width = { min: 1, max: MAX_WIDTH };
  const nEmbd = yield* requireU32(metadata, 'qwen2vl.embedding_length', width);
  const nLayer = yield* requireU32(metadata, 'qwen2vl.block_count', { min: 1, max: MAX_LAYERS });
  const nFf = yield* requireU32(metadata, 'qwen2vl.feed_forward_length', { min: 1, max: 16 * MAX_WIDTH });
  const nCtx = yield* requireU32(metadata, 'qwen2vl.context_length', { min: 256, max: 2 ** 24 });
  const nHead = yield* requireU32(metadata, 'qwen2vl.attention.head_count', width);
  const nHeadKv = (yield* optionalU32(metadata, 'qwen2vl.attention.head_count_kv', width)) ?? nHead;
  if (!nEmbd || !nLayer || !nFf || !nCtx || !nHead || !nHeadKv) return undefined;
  const headSize = nEmbd / nHead;
  if (headSize % 2 !== 0 || headSize < HEAD_SIZE.min || headSize > HEAD_SIZE.max) {
    yield {
      where: 'qwen2vl.attention.head_count',
      found: `${nHead} heads of an embedding of ${nEmbd}`,
      required: `must make heads of an even size from ${HEAD_SIZE.min} to ${HEAD_SIZE.max}`,
    };
    return undefined;
  }
  if (nHead % nHeadKv !== 0) {
    yield { where: 'qwen2vl.attention.head_count_kv', found: String(nHeadKv), required: `must divide ${nHead}` };
    return undefined;
  }
  return { nEmbd, nLayer, nFf, nCtx, nHead, nHeadKv };
}

function* checkRope(metadata: GgufMetadata, sizes: TextSizes | undefined): Check {
  const key = 'qwen2vl.rope.dimension_sections';
  const sections = yield* requireNumbers(metadata, key, ['int32', 'uint32'], 4);
  if (sections && sizes) {
    const half = sizes.nEmbd / sizes.nHead / 2;
    const sum = sections.reduce((total, n) => total + n, 0);
    if (sum !== half || sections.some((n) => n < 0) || sections[3] === half) {
      const required = `must be four sizes of at least 0, not all in the last, that sum to ${half}, half the head size`;
      yield { where: key, found: `[${sections.join(', ')}]`, required };
    }
  }
  yield* optionalF32(metadata, 'qwen2vl.rope.freq_base', { min: 2, max: 1e10 });
  yield* optionalF32(metadata, 'qwen2vl.attention.layer_norm_rms_epsilon', { min: 0, max: 1 });
  if (metadata.has('qwen2vl.rope.scaling.type')) {
    yield* requireString(metadata, 'qwen2vl.rope.scaling.type', ['none', 'linear', 'yarn']);
  }
  for (const name of ['scaling.factor', 'scale_linear', 'scaling.attn_factor']) {
    yield* optionalF32(metadata, `qwen2vl.rope.${name}`, { min: 1e-3, max: 1e3 });
  }
  yield* optionalU32(metadata, 'qwen2vl.rope.scaling.original_context_length', { min: 1, max: 2 ** 24 });
  yield* requireTypes(metadata, {
    'qwen2vl.rope.scaling.finetuned': 'bool',
    'qwen2vl.rope.scaling.alpha': 'float32',
  });
}

/** Keys llama-model.cpp reads for every architecture that would make the graph another one, or abort. */
function* refuseOtherComputation(metadata: GgufMetadata, sizes: TextSizes | undefined): Check {
  const is =
    (...allowed: unknown[]) =>
    (value: unknown): boolean =>
      allowed.includes(value);
  const headSize = sizes ? sizes.nEmbd / sizes.nHead : undefined;
  const never = is();
  yield* refuseKeys(metadata, [
    ['qwen2vl.attention.causal', is(true)],
    ['qwen2vl.attention.key_length', is(headSize)],
    ['qwen2vl.attention.value_length', is(headSize)],
    ['qwen2vl.attention.key_length_swa', is(headSize)],
    ['qwen2vl.attention.value_length_swa', is(headSize)],
    ['qwen2vl.rope.dimension_count', is(headSize)],
    ['qwen2vl.rope.dimension_count_swa', is(headSize)],
    ['qwen2vl.embedding_length_out', is(sizes?.nEmbd)],
    ['qwen2vl.pooling_type', is(0)],
    ['qwen2vl.nextn_predict_layers', is(0)],
    ['qwen2vl.expert_count', is(0)],
    ['qwen2vl.expert_used_count', is(0)],
    ['qwen2vl.expert_group_count', is(0)],
    ['qwen2vl.expert_group_used_count', is(0)],
    ['qwen2vl.classifier.output_labels', never],
  ]);
}

function expectedTensors(sizes: TextSizes, nVocab: number): ExpectedTensors {
  const { nEmbd, nLayer, nFf, nHead, nHeadKv } = sizes;
  const nKv = (nEmbd / nHead) * nHeadKv;
  const matrix = (...shape: number[]): ExpectedTensor => ({ shape, kind: 'matrix', required: true });
  const vector = (size: number, required = true): ExpectedTensor => ({ shape: [size], kind: 'vector', required });
  const expected = new Map<string, ExpectedTensor>([
    ['token_embd.weight', matrix(nEmbd, nVocab)],
    ['output_norm.weight', vector(nEmbd)],
    ['output.weight', { ...matrix(nEmbd, nVocab), required: false }],
    ['output.bias', vector(nVocab, false)],
  ]);
  for (let i = 0; i < nLayer; i++) {
    expected
      .set(`blk.${i}.attn_norm.weight`, vector(nEmbd))
      .set(`blk.${i}.attn_q.weight`, matrix(nEmbd, nEmbd))
      .set(`blk.${i}.attn_q.bias`, vector(nEmbd, false))
      .set(`blk.${i}.attn_k.weight`, matrix(nEmbd, nKv))
      .set(`blk.${i}.attn_k.bias`, vector(nKv, false))
      .set(`blk.${i}.attn_v.weight`, matrix(nEmbd, nKv))
      .set(`blk.${i}.attn_v.bias`, vector(nKv, false))
      .set(`blk.${i}.attn_output.weight`, matrix(nEmbd, nEmbd))
      .set(`blk.${i}.ffn_norm.weight`, vector(nEmbd))
      .set(`blk.${i}.ffn_gate.weight`, matrix(nEmbd, nFf))
      .set(`blk.${i}.ffn_up.weight`, matrix(nEmbd, nFf))
      .set(`blk.${i}.ffn_down.weight`, matrix(nFf, nEmbd));
  }
  return expected;
}
