import type { GgufHeader } from '../reader.js';
import type { ModelFamily } from '../families/family.js';
import { familyOfText, familyTitles, FAMILIES } from '../families/index.js';
import { whyRefused } from '../families/refused.js';
import {
  headSizeOf,
  nRotOf,
  queryRowsOf,
  recurrentLayersOf,
  type Experts,
  type TextShape,
} from '../families/shapes.js';
import { checkNumberPolicy } from '../number-policy.js';
import type { GgufMetadata } from '../values.js';
import { checkLayout } from './layout.js';
import { checkLinearAttention, linearAttentionTensors } from './linear-attention.js';
import {
  optionalF32,
  optionalU32,
  refuseKeys,
  requireF32,
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
/** LLAMA_MAX_EXPERTS (llama-hparams.h): one more aborts. */
const MAX_EXPERTS = 1024;
/** Heads far outside make attention buffers larger than the model. Those of the families have 128. */
const HEAD_SIZE = { min: 8, max: 512 };

export interface TextSizes extends Omit<TextShape, 'tied'> {
  readonly headSize: number;
  /** Embeddings an image's token brings beside its own, for the first layers to add. */
  readonly nDeepstack: number;
  /** Blocks after the layers that guess tokens ahead (multi-token prediction): they are in the file and do not run. */
  readonly nMtp?: number;
}

/** A text model as src/models/<architecture>.cpp loads and runs it. Returns its sizes. */
export function* checkText(header: GgufHeader): Check<TextSizes | undefined> {
  const { metadata } = header;
  const family = yield* checkKind(metadata);
  if (!family) return undefined;
  yield* checkLayout(header);
  yield* checkNumberPolicy(metadata);
  const sizes = yield* checkSizes(metadata, family);
  yield* checkRope(metadata, family, sizes);
  yield* refuseOtherComputation(metadata, family, sizes);
  const nVocab = yield* checkTokenizer(metadata);
  if (sizes && nVocab !== undefined) yield* checkTensors(header, expectedTensors(family, sizes, nVocab));
  return sizes;
}

function* checkKind(metadata: GgufMetadata): Check<ModelFamily | undefined> {
  yield* requireTypes(metadata, { 'general.name': 'string', 'general.file_type': 'uint32' });
  const architecture = metadata.get('general.architecture')?.value;
  const type = metadata.get('general.type')?.value ?? 'model';
  const family = familyOfText(metadata);
  if (family && type === 'model') return family;
  const reason =
    architecture === 'clip'
      ? 'this is a vision (mmproj) file'
      : family
        ? 'this is no whole model'
        : (whyRefused(architecture) ?? `only ${familyTitles()} models are run`);
  yield {
    where: 'general.architecture',
    found: family ? `general.type ${quote(type)}` : quote(architecture ?? 'missing'),
    required: `must be a text model, ${Object.keys(FAMILIES).map(quote).join(' or ')}: ${reason}`,
    code: 'UNSUPPORTED',
  };
  return undefined;
}

function* checkSizes(metadata: GgufMetadata, family: ModelFamily): Check<TextSizes | undefined> {
  const { architecture, hasExperts, isRecurrent } = family;
  const key = (name: string): string => `${architecture}.${name}`;
  const width = { min: 1, max: MAX_WIDTH };
  const nEmbd = yield* requireU32(metadata, key('embedding_length'), width);
  const nBlock = yield* requireU32(metadata, key('block_count'), { min: 1, max: MAX_LAYERS });
  const ahead = { min: 0, max: Math.max(0, (nBlock ?? 1) - 1) };
  const mtpKey = key('nextn_predict_layers');
  const nMtp = isRecurrent && metadata.has(mtpKey) ? yield* requireU32(metadata, mtpKey, ahead) : 0;
  const nLayer = nBlock === undefined || nMtp === undefined ? undefined : nBlock - nMtp;
  const nFf = yield* requireU32(metadata, key('feed_forward_length'), { min: 1, max: 16 * MAX_WIDTH });
  const nCtx = yield* requireU32(metadata, key('context_length'), { min: 256, max: 2 ** 24 });
  const nHead = yield* requireU32(metadata, key('attention.head_count'), width);
  const nHeadKv = (yield* optionalU32(metadata, key('attention.head_count_kv'), width)) ?? nHead;
  if (!nEmbd || !nLayer || nMtp === undefined || !nFf || !nCtx || !nHead || !nHeadKv) return undefined;
  const isFree = architecture !== 'qwen2vl'; // of qwen2vl.cpp's heads only the size that divides the embedding works
  const ownSize = isFree ? yield* optionalU32(metadata, key('attention.key_length'), width) : undefined;
  const headSize = headSizeOf({ nEmbd, nHead, ...(ownSize !== undefined && { headSize: ownSize }) });
  if (headSize % 2 !== 0 || headSize < HEAD_SIZE.min || headSize > HEAD_SIZE.max) {
    yield {
      where: key(ownSize === undefined ? 'attention.head_count' : 'attention.key_length'),
      found: ownSize === undefined ? `${nHead} heads of an embedding of ${nEmbd}` : `heads of ${ownSize}`,
      required: `must make heads of an even size from ${HEAD_SIZE.min} to ${HEAD_SIZE.max}`,
    };
    return undefined;
  }
  const ofValues = key('attention.value_length');
  if (headSize !== nEmbd / nHead && !metadata.has(ofValues)) {
    yield { where: ofValues, found: 'missing', required: `must be ${headSize}, as the size of the keys is` };
  }
  if (nHead % nHeadKv !== 0) {
    yield { where: key('attention.head_count_kv'), found: String(nHeadKv), required: `must divide ${nHead}` };
    return undefined;
  }
  // The last layer has only the rows asked for left to add to, and aborts.
  const nDeepstack =
    isFree && !isRecurrent
      ? yield* optionalU32(metadata, key('n_deepstack_layers'), { min: 0, max: nLayer - 1 })
      : undefined;
  const experts = hasExperts ? yield* checkExperts(metadata, architecture) : undefined;
  if (hasExperts && !experts) return undefined;
  const nRot = isRecurrent ? yield* checkRotated(metadata, key('rope.dimension_count'), headSize) : headSize;
  const linear = isRecurrent ? yield* checkLinearAttention(metadata, architecture, nLayer, nMtp) : undefined;
  if (nRot === undefined || (isRecurrent && !linear)) return undefined;
  return {
    ...{ nEmbd, nLayer, nFf, nCtx, nHead, nHeadKv, headSize },
    nDeepstack: nDeepstack ?? 0,
    ...(experts && { experts }),
    ...(nRot !== headSize && { nRot }),
    ...(linear && { linear }),
    ...(nMtp > 0 && { nMtp }),
  };
}

/** How many dimensions of a head turn with the position; left out, all do. */
function* checkRotated(metadata: GgufMetadata, key: string, headSize: number): Check<number | undefined> {
  if (!metadata.has(key)) return headSize;
  const nRot = yield* requireU32(metadata, key, { min: 2, max: headSize });
  if (nRot === undefined || nRot % 2 === 0) return nRot;
  yield { where: key, found: String(nRot), required: 'must be even: dimensions turn in pairs' };
  return undefined;
}

function* checkExperts(metadata: GgufMetadata, architecture: string): Check<Experts | undefined> {
  const count = yield* requireU32(metadata, `${architecture}.expert_count`, { min: 1, max: MAX_EXPERTS });
  const used = yield* requireU32(metadata, `${architecture}.expert_used_count`, { min: 1, max: count ?? MAX_EXPERTS });
  const nFf = yield* requireU32(metadata, `${architecture}.expert_feed_forward_length`, {
    min: 1,
    max: 16 * MAX_WIDTH,
  });
  return count && used && nFf ? { count, used, nFf } : undefined;
}

function* checkRope(
  metadata: GgufMetadata,
  { architecture, hasQkNorm }: ModelFamily,
  sizes: TextSizes | undefined,
): Check {
  const key = `${architecture}.rope.dimension_sections`;
  const sections = yield* requireNumbers(metadata, key, ['int32', 'uint32'], 4);
  if (sections && sizes) {
    const half = nRotOf(sizes) / 2;
    const sum = sections.reduce((total, n) => total + n, 0);
    if (sum !== half || sections.some((n) => n < 0) || sections[3] === half) {
      const required = `must be four sizes of at least 0, not all in the last, that sum to ${half}, half ${sizes.nRot === undefined ? 'the head size' : 'of what turns of a head'}`;
      yield { where: key, found: `[${sections.join(', ')}]`, required };
    }
  }
  yield* optionalF32(metadata, `${architecture}.rope.freq_base`, { min: 2, max: 1e10 });
  const epsilon = `${architecture}.attention.layer_norm_rms_epsilon`;
  // qwen2vl.cpp does not read it; whoever normalises heads needs it, as a head of zeros is no rare thing.
  if (hasQkNorm) yield* requireF32(metadata, epsilon, { min: 1e-12, max: 1 });
  else yield* optionalF32(metadata, epsilon, { min: 0, max: 1 });
  if (metadata.has(`${architecture}.rope.scaling.type`)) {
    yield* requireString(metadata, `${architecture}.rope.scaling.type`, ['none', 'linear', 'yarn']);
  }
  for (const name of ['scaling.factor', 'scale_linear', 'scaling.attn_factor']) {
    yield* optionalF32(metadata, `${architecture}.rope.${name}`, { min: 1e-3, max: 1e3 });
  }
  yield* optionalU32(metadata, `${architecture}.rope.scaling.original_context_length`, { min: 1, max: 2 ** 24 });
  yield* requireTypes(metadata, {
    [`${architecture}.rope.scaling.finetuned`]: 'bool',
    [`${architecture}.rope.scaling.alpha`]: 'float32',
  });
}

/** Keys llama-model.cpp reads for every architecture that would make the graph another one, or abort. */
function* refuseOtherComputation(
  metadata: GgufMetadata,
  { architecture, title, hasExperts, isRecurrent }: ModelFamily,
  sizes: TextSizes | undefined,
): Check {
  const is =
    (...allowed: unknown[]) =>
    (value: unknown): boolean =>
      allowed.includes(value);
  const ofHead = (value: unknown): boolean => sizes === undefined || value === sizes.headSize;
  const never = is();
  yield* refuseKeys(metadata, title, [
    [`${architecture}.attention.causal`, is(true)],
    [`${architecture}.attention.key_length`, ofHead],
    [`${architecture}.attention.value_length`, ofHead],
    [`${architecture}.attention.key_length_swa`, ofHead],
    [`${architecture}.attention.value_length_swa`, ofHead],
    ...(isRecurrent
      ? []
      : ([
          [`${architecture}.rope.dimension_count`, ofHead],
          [`${architecture}.nextn_predict_layers`, is(0)],
        ] as const)),
    [`${architecture}.rope.dimension_count_swa`, (value) => sizes === undefined || value === nRotOf(sizes)],
    [`${architecture}.embedding_length_out`, is(sizes?.nEmbd)],
    [`${architecture}.pooling_type`, is(0)],
    ...(hasExperts
      ? []
      : ([
          [`${architecture}.expert_count`, is(0)],
          [`${architecture}.expert_used_count`, is(0)],
        ] as const)),
    [`${architecture}.expert_group_count`, is(0)],
    [`${architecture}.expert_group_used_count`, is(0)],
    [`${architecture}.classifier.output_labels`, never],
  ]);
}

type TensorsOfPart = Readonly<Record<string, ExpectedTensor>>;

const matrix = (...shape: number[]): ExpectedTensor => ({ shape, kind: 'matrix', required: true });
const vector = (size: number, required = true): ExpectedTensor => ({ shape: [size], kind: 'vector', required });

function expectedTensors(family: ModelFamily, sizes: TextSizes, nVocab: number): ExpectedTensors {
  const { nEmbd, nLayer, linear, nMtp = 0 } = sizes;
  const expected = new Map<string, ExpectedTensor>([
    ['token_embd.weight', matrix(nEmbd, nVocab)],
    ['output_norm.weight', vector(nEmbd)],
    ['output.weight', { ...matrix(nEmbd, nVocab), required: false }],
    ...(family.hasQkNorm ? [] : [['output.bias', vector(nVocab, false)] as const]), // qwen2vl.cpp alone looks for it
  ]);
  const attention = attentionTensors(family, sizes);
  const rest = restOfLayer(family, sizes);
  const addLayer = (i: number, mixer: TensorsOfPart, more: TensorsOfPart = {}): void => {
    for (const [part, tensor] of Object.entries({ 'attn_norm.weight': vector(nEmbd), ...mixer, ...rest, ...more }))
      expected.set(`blk.${i}.${part}`, tensor);
  };
  for (const [i, isRecurrent] of recurrentLayersOf(sizes).entries())
    addLayer(i, isRecurrent ? linearAttentionTensors(nEmbd, linear!) : attention);
  for (let i = nLayer; i < nLayer + nMtp; i++) addLayer(i, attention, mtpTensors(nEmbd, nVocab));
  return expected;
}

function attentionTensors({ hasQkNorm }: ModelFamily, sizes: TextSizes): TensorsOfPart {
  const { nEmbd, nHead, nHeadKv, headSize } = sizes;
  const nOut = headSize * nHead;
  const nQ = queryRowsOf(sizes);
  const nKv = headSize * nHeadKv;
  return {
    'attn_q.weight': matrix(nEmbd, nQ),
    'attn_q.bias': vector(nQ, false),
    'attn_k.weight': matrix(nEmbd, nKv),
    'attn_k.bias': vector(nKv, false),
    'attn_v.weight': matrix(nEmbd, nKv),
    'attn_v.bias': vector(nKv, false),
    'attn_output.weight': matrix(nOut, nEmbd),
    ...(hasQkNorm && { 'attn_q_norm.weight': vector(headSize), 'attn_k_norm.weight': vector(headSize) }),
  };
}

/** What comes after the attention: its norm, and the feed-forward network or networks. */
function restOfLayer({ ffnNorm }: ModelFamily, { nEmbd, nFf, experts }: TextSizes): TensorsOfPart {
  return {
    [`${ffnNorm}.weight`]: vector(nEmbd),
    ...(experts
      ? {
          'ffn_gate_inp.weight': matrix(nEmbd, experts.count),
          'ffn_gate_exps.weight': matrix(nEmbd, experts.nFf, experts.count),
          'ffn_up_exps.weight': matrix(nEmbd, experts.nFf, experts.count),
          'ffn_down_exps.weight': matrix(experts.nFf, nEmbd, experts.count),
        }
      : {
          'ffn_gate.weight': matrix(nEmbd, nFf),
          'ffn_up.weight': matrix(nEmbd, nFf),
          'ffn_down.weight': matrix(nFf, nEmbd),
        }),
  };
}

/** What a block that guesses ahead has beside the tensors of a layer. */
function mtpTensors(nEmbd: number, nVocab: number): TensorsOfPart {
  return {
    'nextn.eh_proj.weight': matrix(2 * nEmbd, nEmbd),
    'nextn.enorm.weight': vector(nEmbd),
    'nextn.hnorm.weight': vector(nEmbd),
    'nextn.embed_tokens.weight': { ...matrix(nEmbd, nVocab), required: false },
    'nextn.shared_head_head.weight': { ...matrix(nEmbd, nVocab), required: false },
    'nextn.shared_head_norm.weight': vector(nEmbd, false),
  };
}
