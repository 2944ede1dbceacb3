/**
 * Reads, checks and writes GGUF files: headers, tensors, toy models, LoRA adapters.
 *
 * @module framewright/gguf
 */
export { FAMILIES, cellPxOf, familyOfArchitecture, familyOfText, familyTitles } from './families/index.js';
export { whyRefused } from './families/refused.js';
export type { FamilyName, ModelFamily, Projector } from './families/family.js';
export { GgufError, type GgufErrorCode } from './errors.js';
export {
  GGML_TYPES,
  GGUF_VALUE_TYPES,
  countElements,
  ggmlTypeOfId,
  tensorBytes,
  type GgmlType,
  type GgmlTypeInfo,
  type GgufBigintType,
  type GgufNumberType,
  type GgufValueType,
} from './types.js';
export {
  bool,
  bools,
  f32,
  f32s,
  i32s,
  str,
  strings,
  u32,
  type GgufBigintArray,
  type GgufMetadata,
  type GgufNumberArray,
  type GgufValue,
} from './values.js';
export { writeGguf, type GgufToWrite, type TensorData, type TensorToWrite, type WriteOptions } from './writer.js';
export { encodeTensor, ENCODABLE_TYPES, type EncodableType } from './encode-tensor.js';
export {
  CHATML_TEMPLATE,
  QWEN_CONTROL_TOKENS,
  TOKEN_TYPES,
  buildVocabulary,
  tokenizerMetadata,
  type PreTokenizer,
  type TokenizerOptions,
  type Vocabulary,
} from './tokenizer.js';
export { QWEN2VL_SHAPES } from './families/qwen2vl-shapes.js';
export { QWEN35_SHAPES } from './families/qwen35-shapes.js';
export { QWEN3VL_SHAPES } from './families/qwen3vl-shapes.js';
export { QWEN3VLMOE_SHAPES } from './families/qwen3vlmoe-shapes.js';
export {
  countTextValues,
  headSizeOf,
  linearWidthsOf,
  queryRowsOf,
  recurrentLayersOf,
  type Experts,
  type LinearAttention,
  type PairSizes,
  type TextShape,
  type VisionShape,
} from './families/shapes.js';
export { TOY_PRESETS, ropeSections, toyShapeOf, type ToyPreset } from './toy-shapes.js';
export { describeToyPair, textMetadata, visionMetadata, writeToyPair, type ToyOptions, type ToyPair } from './toy.js';
export { readGguf, type GgufHeader, type GgufTensor, type ReadOptions } from './reader.js';
export { findTensor, readTensor, readTensorChunks } from './tensor-data.js';
export { DECODABLE_TYPES, decodeTensor, isDecodable, type DecodableType } from './decode-tensor.js';
export { countNonFiniteBlocks, countNonFiniteBlocksInFile } from './nan-check.js';
export { readSafeTensor, readSafeTensors, type SafeTensor, type SafeTensorsHeader } from './safetensors.js';
export { openLora, type LoraAdapter, type LowRank } from './lora-adapter.js';
export { convertCheckpoint, convertedPaths, type ConvertOptions, type ConvertedPair } from './convert/convert.js';
export { CONVERTED_TYPES, type ConvertedType } from './convert/tensor-source.js';
export { convertLora, type ConvertedLora, type LoraConvertOptions } from './lora-convert.js';
export { isSwallowed, mergeLoras, type LoraMergeOptions, type LoraToMerge, type MergedTensor } from './lora-merge.js';
export { NUMBER_POLICIES, NUMBERS_KEY, numberPolicyOf, type NumberPolicy } from './number-policy.js';
export { PLAIN_CODEC, type TensorCodec } from './tensor-codec.js';
export type { GgufProblem } from './validate/problem.js';
export { isMatrixType } from './validate/tensors.js';
export type { TextSizes } from './validate/text.js';
export type { VisionSizes } from './validate/vision.js';
export {
  errorOfProblems,
  requireValidPair,
  requireValidText,
  validateLora,
  validateMmproj,
  validatePair,
  validateText,
  type ValidPair,
  type ValidateOptions,
} from './validate.js';
export {
  inspectGguf,
  renderSummary,
  type GgufSummary,
  type InspectedTensor,
  type InspectedValue,
  type RenderOptions,
  type TypeCount,
} from './inspect.js';
