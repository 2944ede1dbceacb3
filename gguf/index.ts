export { GgufError, type GgufErrorCode } from './errors.js';
export {
  GGML_TYPES,
  GGUF_VALUE_TYPES,
  countElements,
  ggmlTypeOfId,
  tensorBytes,
  type GgmlType,
  type GgmlTypeInfo,
  type GgufValueType,
} from './types.js';
export { bool, f32, f32s, i32s, str, strings, u32, type GgufMetadata, type GgufValue } from './values.js';
export { writeGguf, type GgufToWrite, type TensorData, type TensorToWrite, type WriteOptions } from './writer.js';
export { encodeTensor, ENCODABLE_TYPES, type EncodableType } from './encode-tensor.js';
export {
  CHATML_TEMPLATE,
  QWEN_CONTROL_TOKENS,
  TOKEN_TYPES,
  buildVocabulary,
  tokenizerMetadata,
  type TokenizerOptions,
  type Vocabulary,
} from './tokenizer.js';
export {
  TOY_PRESETS,
  ropeSections,
  type TextShape,
  type ToyPreset,
  type ToyShape,
  type VisionShape,
} from './toy-shapes.js';
export { describeToyPair, textMetadata, visionMetadata, writeToyPair, type ToyOptions, type ToyPair } from './toy.js';
