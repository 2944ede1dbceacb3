export { openCropper, Cropper } from './cropper.js';
export type {
  CropAllOptions,
  CropEachOptions,
  CropOptions,
  CropperOptions,
  PhotoOutcome,
  PhotoTask,
} from './cropper.js';
export type { Focus } from './steps/focus.js';
export type { ConditionAttention, GroupAttention, PhotoAttention } from './attention/photo-attention.js';
export { FramewrightError } from './errors.js';
export type { HeldPhoto } from './held-photo.js';
export type { ErrorCode } from './errors.js';
export type { ConversationPart } from './photo-engine.js';
export { readHints } from './hints.js';
export type { PhotoHint } from './hints.js';
export { decodePhoto } from './image/decode.js';
export type { Photo } from './image/decode.js';
export { writeFileAtomic } from './image/write.js';
export type { WriteOptions } from './image/write.js';
export { sidecarPathOf, writeSidecar } from './metadata/sidecar.js';
export type { SidecarOptions, SidecarOutcome } from './metadata/sidecar.js';
export { encodeCrop } from './image/encode.js';
export type { EncodeCropOptions, EncodedImage, OutputFormat } from './image/encode.js';
export type { PhotoInput } from './image/input.js';
export { cropResultSchema, ELEMENT_KINDS, elementSchema } from './schema.js';
export type { Candidate, CropRect, CropResult, Element, ElementKind, EngineName, Fallback } from './schema.js';
export type { DeviceInfo, GpuChoice, LogLine, LoraSpec, RuntimeInfo } from './runtime/types.js';
