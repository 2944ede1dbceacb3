import type { GgufHeader } from '../reader.js';
import type { ModelFamily, Projector } from '../families/family.js';
import { cellPxOf, familiesOfProjector, familyOfText, familyTitles, FAMILIES } from '../families/index.js';
import { whyRefused } from '../families/refused.js';
import type { VisionShape } from '../families/shapes.js';
import type { GgufMetadata } from '../values.js';
import { checkLayout } from './layout.js';
import {
  optionalU32,
  refuseKeys,
  requireBool,
  requireF32,
  requireNumbers,
  requireTypes,
  requireU32,
} from './metadata.js';
import { quote, type Check } from './problem.js';
import { checkTensors, type ExpectedTensor, type ExpectedTensors } from './tensors.js';

/** clip.cpp builds its graph in 8192 nodes (max_nodes); a layer takes about 40. The largest of the families have 32. */
const MAX_LAYERS = 128;
const MAX_WIDTH = 2 ** 16;
const HEAD_SIZE = { min: 8, max: 512 };
/** clip.cpp refuses more. */
const MAX_IMAGE_SIZE_PX = 8192;

export interface VisionSizes extends VisionShape {
  readonly projector: Projector;
  readonly deepstackLayers: readonly number[];
  /** Size of an image token as the text model takes it. */
  readonly projectionDim: number;
}

/** What the families that share a projector have in common. */
type Tower = Pick<ModelFamily, 'projector' | 'title' | 'patchPx' | 'mergeSize'>;

/** A vision file as tools/mtmd/clip.cpp loads and tools/mtmd/models/ runs it. Returns its sizes. */
export function* checkVision(header: GgufHeader): Check<VisionSizes | undefined> {
  const { metadata } = header;
  const tower = yield* checkKind(metadata);
  if (!tower) return undefined;
  yield* checkLayout(header);
  yield* checkSwitches(metadata, tower);
  yield* checkPreprocessing(metadata);
  const sizes = yield* checkSizes(header, tower);
  if (sizes) yield* checkTensors(header, expectedTensors(tower, sizes));
  return sizes;
}

function* checkKind(metadata: GgufMetadata): Check<Tower | undefined> {
  const architecture = metadata.get('general.architecture')?.value;
  if (architecture !== 'clip') {
    const reason = familyOfText(metadata) ? ': this is a text model or an adapter' : '';
    yield {
      where: 'general.architecture',
      found: quote(architecture ?? 'missing'),
      required: `must be "clip", a vision (mmproj) file${reason}`,
      code: 'UNSUPPORTED',
    };
    return undefined;
  }
  const projector = metadata.get('clip.projector_type')?.value;
  const [family] = familiesOfProjector(projector);
  if (family) return family;
  const known = [...new Set(Object.values(FAMILIES).map((each) => each.projector))];
  yield {
    where: 'clip.projector_type',
    found: quote(projector ?? 'missing'),
    required: `must be ${known.map(quote).join(' or ')}: ${whyRefused(projector) ?? `only ${familyTitles()} models are run`}`,
    code: 'UNSUPPORTED',
  };
  return undefined;
}

/** clip.cpp reads these without looking at their type first, and aborts on another one. */
function* checkSwitches(metadata: GgufMetadata, { projector }: Tower): Check {
  yield* optionalU32(metadata, 'clip.minicpmv_query_num', { min: 0, max: 2 ** 31 - 1 });
  yield* requireBool(metadata, 'clip.has_vision_encoder', true);
  yield* requireBool(metadata, 'clip.has_audio_encoder', false, 'optional');
  yield* requireBool(metadata, 'clip.has_gen_audio_encoder', false, 'optional');
  const [activation, other] = projector === 'qwen3vl_merger' ? ['gelu', 'silu'] : ['silu', 'gelu'];
  yield* requireBool(metadata, `clip.use_${activation}`, true);
  yield* requireBool(metadata, `clip.use_${other}`, false, 'optional');
  yield* requireTypes(metadata, {
    'general.name': 'string',
    'general.description': 'string',
    'general.file_type': 'uint32',
    'clip.minicpmv_version': 'int32',
    'clip.vision.spatial_merge_size': 'uint32',
    'clip.vision.attention.head_count_kv': 'uint32',
    'clip.vision.attention.head_dim': 'uint32',
    'clip.vision.mm_patch_merge_type': 'string',
  });
}

function* checkPreprocessing(metadata: GgufMetadata): Check {
  const mean = yield* requireNumbers(metadata, 'clip.vision.image_mean', ['float32'], 3);
  if (mean?.some((value) => !(Math.abs(value) <= 1e3))) {
    yield { where: 'clip.vision.image_mean', found: mean.join(', '), required: 'must be finite and at most 1000' };
  }
  const std = yield* requireNumbers(metadata, 'clip.vision.image_std', ['float32'], 3);
  if (std?.some((value) => !(value >= 1e-3 && value <= 1e3))) {
    yield { where: 'clip.vision.image_std', found: std.join(', '), required: 'must be from 0.001 to 1000' };
  }
  yield* requireF32(metadata, 'clip.vision.attention.layer_norm_epsilon', { min: 1e-12, max: 1 });
}

function* checkSizes(header: GgufHeader, tower: Tower): Check<VisionSizes | undefined> {
  const { metadata } = header;
  const { projector, title, patchPx } = tower;
  const isQwen3 = projector === 'qwen3vl_merger';
  const width = { min: 1, max: MAX_WIDTH };
  const nEmbd = yield* requireU32(metadata, 'clip.vision.embedding_length', width);
  const nFf = yield* requireU32(metadata, 'clip.vision.feed_forward_length', { min: 1, max: 16 * MAX_WIDTH });
  const nLayer = yield* requireU32(metadata, 'clip.vision.block_count', { min: 1, max: MAX_LAYERS });
  const nHead = yield* requireU32(metadata, 'clip.vision.attention.head_count', width);
  const projectionDim = yield* requireU32(metadata, 'clip.vision.projection_dim', { min: 1, max: 2 * MAX_WIDTH });
  const imageSizePx = yield* requireU32(metadata, 'clip.vision.image_size', {
    min: cellPxOf(tower),
    max: MAX_IMAGE_SIZE_PX,
  });
  // The frame's grid rests on it, and the window of 112 px of a Qwen2.5-VL.
  yield* requireU32(metadata, 'clip.vision.patch_size', { min: patchPx, max: patchPx });
  const nWaPattern = isQwen3
    ? ((yield* optionalU32(metadata, 'clip.vision.n_wa_pattern', { min: 0, max: 0 })) ?? 0)
    : yield* requireU32(metadata, 'clip.vision.n_wa_pattern', { min: 0, max: MAX_LAYERS });
  if (nWaPattern === 1) {
    const required = 'must be 0 where all layers look at the whole image: llama.cpp aborts for want of a windowed one';
    yield { where: 'clip.vision.n_wa_pattern', found: '1', required };
  }
  yield* refuseKeys(metadata, title, [
    ['clip.vision.spatial_merge_size', (value) => value === tower.mergeSize],
    ['clip.vision.image_grid_pinpoints', () => false],
    ['clip.vision.feature_layer', () => false],
    ['clip.vision.attention.head_count_kv', (value) => value === nHead],
    [
      'clip.vision.attention.head_dim',
      (value) => nEmbd !== undefined && nHead !== undefined && value === nEmbd / nHead,
    ],
  ]);
  if (!nEmbd || !nFf || !nLayer || !nHead || !projectionDim || !imageSizePx || nWaPattern === undefined)
    return undefined;
  const headSize = nEmbd / nHead;
  if (headSize % 4 !== 0 || headSize < HEAD_SIZE.min || headSize > HEAD_SIZE.max) {
    yield {
      where: 'clip.vision.attention.head_count',
      found: `${nHead} heads of an embedding of ${nEmbd}`,
      required: `must make heads of a multiple of 4 from ${HEAD_SIZE.min} to ${HEAD_SIZE.max}`,
    };
    return undefined;
  }
  if (nFf === nEmbd && !isQwen3) {
    yield {
      where: 'clip.vision.feed_forward_length',
      found: String(nFf),
      required: 'must differ from the embedding_length, or llama.cpp takes ffn_up for ffn_down',
    };
  }
  const deepstackLayers = isQwen3 ? deepstackLayersOf(header, nLayer) : [];
  return { projector, nEmbd, nFf, nLayer, nHead, projectionDim, imageSizePx, nWaPattern, deepstackLayers };
}

/** llama.cpp takes a layer for one whose output goes to the text model where this tensor is there. */
function deepstackLayersOf({ tensors }: GgufHeader, nLayer: number): number[] {
  const names = new Set(tensors.map(({ name }) => name));
  return Array.from({ length: nLayer }, (_, i) => i).filter((i) => names.has(`v.deepstack.${i}.fc1.weight`));
}

const matrix = (nIn: number, nOut: number, required = true): ExpectedTensor => ({
  shape: [nIn, nOut],
  kind: 'matrix',
  required,
});
const vector = (size: number, required: boolean): ExpectedTensor => ({ shape: [size], kind: 'vector', required });

function expectedTensors({ projector, patchPx, mergeSize }: Tower, sizes: VisionSizes): ExpectedTensors {
  const { nEmbd, projectionDim } = sizes;
  const nMerged = mergeSize ** 2 * nEmbd;
  const patch: ExpectedTensor = { shape: [patchPx, patchPx, 3, nEmbd], kind: 'kernel', required: true };
  return new Map<string, ExpectedTensor>([
    ['v.patch_embd.weight', patch],
    ['v.patch_embd.weight.1', patch],
    ['v.post_ln.weight', vector(nEmbd, false)],
    ['mm.0.weight', matrix(nMerged, nMerged)],
    ['mm.0.bias', vector(nMerged, true)],
    ['mm.2.weight', matrix(nMerged, projectionDim)],
    ['mm.2.bias', vector(projectionDim, true)],
    ...(projector === 'qwen3vl_merger' ? qwen3Tensors(sizes, patchPx, nMerged) : qwen2Tensors(sizes)),
  ]);
}

function* qwen2Tensors({ nEmbd, nFf, nLayer }: VisionSizes): Generator<readonly [string, ExpectedTensor]> {
  for (let i = 0; i < nLayer; i++) {
    const name = (part: string): string => `v.blk.${i}.${part}`;
    // The graph adds these three biases without asking whether they are there.
    for (const part of ['attn_q', 'attn_k', 'attn_v']) {
      yield [name(`${part}.weight`), matrix(nEmbd, nEmbd)];
      yield [name(`${part}.bias`), vector(nEmbd, true)];
    }
    yield [name('ln1.weight'), vector(nEmbd, false)];
    yield [name('ln2.weight'), vector(nEmbd, false)];
    yield [name('attn_out.weight'), matrix(nEmbd, nEmbd)];
    yield [name('attn_out.bias'), vector(nEmbd, false)];
    yield [name('ffn_gate.weight'), matrix(nEmbd, nFf, false)];
    yield [name('ffn_gate.bias'), vector(nFf, false)];
    yield [name('ffn_up.weight'), matrix(nEmbd, nFf)];
    yield [name('ffn_up.bias'), vector(nFf, false)];
    yield [name('ffn_down.weight'), matrix(nFf, nEmbd)];
    yield [name('ffn_down.bias'), vector(nEmbd, false)];
  }
}

function* qwen3Tensors(
  sizes: VisionSizes,
  patchPx: number,
  nMerged: number,
): Generator<readonly [string, ExpectedTensor]> {
  const { nEmbd, nFf, nLayer, imageSizePx, projectionDim, deepstackLayers } = sizes;
  // The graph asserts both of these.
  yield ['v.patch_embd.bias', vector(nEmbd, true)];
  // Interpolating takes F32 alone, and aborts on anything else.
  yield [
    'v.position_embd.weight',
    { shape: [nEmbd, Math.floor(imageSizePx / patchPx) ** 2], kind: 'vector', required: true },
  ];
  yield ['v.post_ln.bias', vector(nEmbd, false)];
  for (let i = 0; i < nLayer; i++) {
    const name = (part: string): string => `v.blk.${i}.${part}`;
    // Multiplied with and added without asking whether they are there.
    yield [name('attn_qkv.weight'), matrix(nEmbd, 3 * nEmbd)];
    yield [name('attn_qkv.bias'), vector(3 * nEmbd, true)];
    yield [name('attn_out.weight'), matrix(nEmbd, nEmbd)];
    yield [name('attn_out.bias'), vector(nEmbd, false)];
    for (const norm of ['ln1', 'ln2'])
      for (const part of ['weight', 'bias']) yield [name(`${norm}.${part}`), vector(nEmbd, false)];
    yield [name('ffn_up.weight'), matrix(nEmbd, nFf)];
    yield [name('ffn_up.bias'), vector(nFf, false)];
    yield [name('ffn_down.weight'), matrix(nFf, nEmbd)];
    yield [name('ffn_down.bias'), vector(nEmbd, false)];
  }
  for (const i of deepstackLayers) {
    const name = (part: string): string => `v.deepstack.${i}.${part}`;
    for (const part of ['weight', 'bias']) yield [name(`norm.${part}`), vector(nMerged, false)];
    yield [name('fc1.weight'), matrix(nMerged, nMerged)];
    yield [name('fc1.bias'), vector(nMerged, false)];
    yield [name('fc2.weight'), matrix(nMerged, projectionDim)];
    yield [name('fc2.bias'), vector(projectionDim, false)];
  }
}
