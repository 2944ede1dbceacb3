export { openCropper, Cropper } from './cropper.js';
export type { CropAllOptions, CropEachOptions, CropOptions, CropperOptions, PhotoOutcome } from './cropper.js';
export { FramewrightError } from './errors.js';
export type { ErrorCode } from './errors.js';
export type { PhotoInput } from './image/decode.js';
export { cropResultSchema, ELEMENT_KINDS, elementSchema } from './schema.js';
export type { Candidate, CropRect, CropResult, Element, ElementKind } from './schema.js';
export type { DeviceInfo, GpuChoice, LogLine, LoraSpec, RuntimeInfo } from './runtime/types.js';
