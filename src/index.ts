export { openCropper, Cropper } from './cropper/cropper.js';
export type {
  CropAllOptions,
  CropEachOptions,
  CropFileOptions,
  CropOptions,
  CroppedImage,
  CropperOptions,
  PhotoOutcome,
  PhotoTask,
} from './cropper/cropper.js';
export type { Focus } from './crop/focus.js';
export { photoAttention } from './attention/photo-attention.js';
export type { ConditionAttention, GroupAttention, PhotoAttention } from './attention/photo-attention.js';
export { FramewrightError } from './base/errors.js';
export type { HeldPhoto } from './cropper/held-photo.js';
export type { ErrorCode } from './base/errors.js';
export type { ConversationPart } from './engines/engine.js';
export { readHints } from './batch/hints.js';
export type { PhotoHint } from './batch/hints.js';
export { runBatch } from './batch/run-batch.js';
export type { BatchOptions, StdinPhoto } from './batch/options.js';
export type {
  BatchBegin,
  BatchEnd,
  BatchFailure,
  BatchListener,
  BatchNote,
  BatchPhoto,
  BatchProgress,
  BatchResult,
} from './batch/listener.js';
export type { PlannedPhoto } from './batch/plan/planned-photo.js';
export { decodePhoto } from './photo/decode.js';
export type { Photo } from './photo/decode.js';
export { writeFileAtomic } from './files/write.js';
export type { WriteOptions } from './files/write.js';
export { sidecarPathOf, writeSidecar } from './photo/metadata/sidecar.js';
export type { SidecarOptions, SidecarOutcome } from './photo/metadata/sidecar.js';
export { encodeCrop } from './photo/crop-file.js';
export type { EncodedImage } from './photo/encode.js';
export type { EncodeCropOptions } from './photo/crop-file.js';
export type { OutputFormat } from './photo/output-format.js';
export type { PhotoInput } from './photo/input.js';
export { cropResultSchema, ELEMENT_KINDS, elementSchema } from './base/schema.js';
export type { Candidate, CropRect, CropResult, Element, ElementKind, EngineName, Fallback } from './base/schema.js';
export type { DeviceInfo, GpuChoice, LogLine, LoraSpec, RuntimeInfo } from './runtime/types.js';
