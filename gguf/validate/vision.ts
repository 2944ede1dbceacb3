import type { GgufHeader } from '../reader.js';
import { PATCH_SIZE_PX, type VisionShape } from '../toy-shapes.js';
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

/** clip.cpp builds its graph in 8192 nodes (max_nodes); a layer takes about 40. Qwen2.5-VL has 32 layers. */
const MAX_LAYERS = 128;
const MAX_WIDTH = 2 ** 16;
const HEAD_SIZE = { min: 8, max: 512 };
/** clip.cpp refuses more. */
const MAX_IMAGE_SIZE_PX = 8192;

export interface VisionSizes extends VisionShape {
  /** Size of an image token as the text model takes it. */
  readonly projectionDim: number;
}

/** A vision file as tools/mtmd/clip.cpp loads and tools/mtmd/models/qwen2vl.cpp runs it. Returns its sizes. */
export function* checkVision(header: GgufHeader): Check<VisionSizes | undefined> {
  const { metadata } = header;
  if (!(yield* checkKind(metadata))) return undefined;
  yield* checkLayout(header);
  yield* checkSwitches(metadata);
  yield* checkPreprocessing(metadata);
  const sizes = yield* checkSizes(metadata);
  if (sizes) yield* checkTensors(header, expectedTensors(sizes));
  return sizes;
}

function* checkKind(metadata: GgufMetadata): Check<boolean> {
  const architecture = metadata.get('general.architecture')?.value;
  if (architecture !== 'clip') {
    const reason = architecture === 'qwen2vl' ? ': this is a text model or an adapter' : '';
    yield {
      where: 'general.architecture',
      found: quote(architecture ?? 'missing'),
      required: `must be "clip", a vision (mmproj) file${reason}`,
      code: 'UNSUPPORTED',
    };
    return false;
  }
  const projector = metadata.get('clip.projector_type')?.value;
  if (projector !== 'qwen2.5vl_merger') {
    yield {
      where: 'clip.projector_type',
      found: quote(projector ?? 'missing'),
      required: 'must be "qwen2.5vl_merger": only Qwen2.5-VL models are run',
      code: 'UNSUPPORTED',
    };
    return false;
  }
  return true;
}

/** clip.cpp reads these without looking at their type first, and aborts on another one. */
function* checkSwitches(metadata: GgufMetadata): Check {
  yield* optionalU32(metadata, 'clip.minicpmv_query_num', { min: 0, max: 2 ** 31 - 1 });
  yield* requireBool(metadata, 'clip.has_vision_encoder', true);
  yield* requireBool(metadata, 'clip.has_audio_encoder', false, 'optional');
  yield* requireBool(metadata, 'clip.has_gen_audio_encoder', false, 'optional');
  yield* requireBool(metadata, 'clip.use_silu', true);
  yield* requireBool(metadata, 'clip.use_gelu', false, 'optional');
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

function* checkSizes(metadata: GgufMetadata): Check<VisionSizes | undefined> {
  const width = { min: 1, max: MAX_WIDTH };
  const nEmbd = yield* requireU32(metadata, 'clip.vision.embedding_length', width);
  const nFf = yield* requireU32(metadata, 'clip.vision.feed_forward_length', { min: 1, max: 16 * MAX_WIDTH });
  const nLayer = yield* requireU32(metadata, 'clip.vision.block_count', { min: 1, max: MAX_LAYERS });
  const nHead = yield* requireU32(metadata, 'clip.vision.attention.head_count', width);
  const projectionDim = yield* requireU32(metadata, 'clip.vision.projection_dim', { min: 1, max: 2 * MAX_WIDTH });
  const imageSizePx = yield* requireU32(metadata, 'clip.vision.image_size', {
    min: 2 * PATCH_SIZE_PX,
    max: MAX_IMAGE_SIZE_PX,
  });
  // The window of 112 px and the frame's grid of 28 px rest on a patch of 14 px merged 2 x 2.
  yield* requireU32(metadata, 'clip.vision.patch_size', { min: PATCH_SIZE_PX, max: PATCH_SIZE_PX });
  const nWaPattern = yield* requireU32(metadata, 'clip.vision.n_wa_pattern', { min: 0, max: MAX_LAYERS });
  if (nWaPattern === 1) {
    const required = 'must be 0 where all layers look at the whole image: llama.cpp aborts for want of a windowed one';
    yield { where: 'clip.vision.n_wa_pattern', found: '1', required };
  }
  yield* refuseKeys(metadata, [
    ['clip.vision.spatial_merge_size', (value) => value === 2],
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
  if (nFf === nEmbd) {
    yield {
      where: 'clip.vision.feed_forward_length',
      found: String(nFf),
      required: 'must differ from the embedding_length, or llama.cpp takes ffn_up for ffn_down',
    };
  }
  return { nEmbd, nFf, nLayer, nHead, projectionDim, imageSizePx, nWaPattern };
}

function expectedTensors(sizes: VisionSizes): ExpectedTensors {
  const { nEmbd, nFf, nLayer, projectionDim } = sizes;
  const nMerged = 4 * nEmbd;
  const matrix = (nIn: number, nOut: number, required = true): ExpectedTensor => ({
    shape: [nIn, nOut],
    kind: 'matrix',
    required,
  });
  const vector = (size: number, required: boolean): ExpectedTensor => ({ shape: [size], kind: 'vector', required });
  const patch: ExpectedTensor = { shape: [PATCH_SIZE_PX, PATCH_SIZE_PX, 3, nEmbd], kind: 'kernel', required: true };
  const expected = new Map<string, ExpectedTensor>([
    ['v.patch_embd.weight', patch],
    ['v.patch_embd.weight.1', patch],
    ['v.post_ln.weight', vector(nEmbd, false)],
    ['mm.0.weight', matrix(nMerged, nMerged)],
    ['mm.0.bias', vector(nMerged, true)],
    ['mm.2.weight', matrix(nMerged, projectionDim)],
    ['mm.2.bias', vector(projectionDim, true)],
  ]);
  for (let i = 0; i < nLayer; i++) {
    const name = (part: string): string => `v.blk.${i}.${part}`;
    // The graph adds these three biases without asking whether they are there.
    for (const part of ['attn_q', 'attn_k', 'attn_v']) {
      expected.set(name(`${part}.weight`), matrix(nEmbd, nEmbd)).set(name(`${part}.bias`), vector(nEmbd, true));
    }
    expected
      .set(name('ln1.weight'), vector(nEmbd, false))
      .set(name('ln2.weight'), vector(nEmbd, false))
      .set(name('attn_out.weight'), matrix(nEmbd, nEmbd))
      .set(name('attn_out.bias'), vector(nEmbd, false))
      .set(name('ffn_gate.weight'), matrix(nEmbd, nFf, false))
      .set(name('ffn_gate.bias'), vector(nFf, false))
      .set(name('ffn_up.weight'), matrix(nEmbd, nFf))
      .set(name('ffn_up.bias'), vector(nFf, false))
      .set(name('ffn_down.weight'), matrix(nFf, nEmbd))
      .set(name('ffn_down.bias'), vector(nEmbd, false));
  }
  return expected;
}
