/**
 * Crops photos with a vision-language model on your own machine: {@link openCropper} opens it, {@link Cropper} crops.
 *
 * @module framewright
 */
export { openCropper, Cropper } from './cropper/cropper.js';
export type {
  CropAllOptions,
  CropEachOptions,
  CropFileOptions,
  CropOptions,
  CroppedImage,
  CropperOptions,
  HeldCropOptions,
  ModelAtWork,
  PhotoOutcome,
  PhotoTask,
  PhotoWishes,
} from './cropper/options.js';
export type { Like } from './crop/carry/reference.js';
export { SERIES } from './cropper/series/series-wish.js';
export type { SeriesWish } from './cropper/series/series-wish.js';
export type { Focus } from './crop/focus.js';
export { PLACES } from './crop/place.js';
export type { Place } from './crop/place.js';
export type { FitWishes } from './crop/canvas.js';
export type { Target } from './crop/target.js';
export type { TargetOutcome } from './crop/pipeline.js';
export type { CropWishes, FailedTarget, HeldWishes } from './crop/wishes.js';
export type { Aspect, Box, Point, Rect, Size } from './base/geometry.js';
export { CONDITIONS, photoAttention } from './attention/photo-attention.js';
export type {
  ByGroup,
  Condition,
  ConditionAttention,
  GroupAttention,
  PhotoAttention,
} from './attention/photo-attention.js';
export { TOKEN_GROUPS } from './attention/token-groups.js';
export type { TokenGroup } from './attention/token-groups.js';
export { ERROR_CODES, FramewrightError } from './base/errors.js';
export type { HeldPhoto } from './cropper/held-photo.js';
export type { ErrorCode } from './base/errors.js';
export type { ConversationPart, ModelIdentity } from './engines/engine.js';
export type { VlmCounters } from './vlm/engine.js';
export type { FrameImage } from './engines/frame-image.js';
export type { Tilt } from './engines/tilt/tilt.js';
export type { Straighten } from './crop/straighten-wish.js';
export type { Turn } from './photo/turn/turn.js';
export type { Thought, ThoughtStage, TokenChoice, TokenOption } from './engines/thought.js';
export { readHints } from './batch/hints.js';
export type { PhotoHint } from './batch/hints.js';
export { runBatch } from './batch/run-batch.js';
export { watchBatch } from './batch/watch/watch-batch.js';
export type { WatchOptions } from './batch/watch/watch-batch.js';
export { XMP_WAYS, type BatchOptions, type StdinPhoto, type XmpWay } from './batch/options.js';
export type {
  BatchBegin,
  BatchEnd,
  BatchFailure,
  BatchListener,
  BatchNote,
  BatchPhoto,
  BatchPreparation,
  BatchProgress,
  BatchResult,
} from './batch/listener.js';
export type { PlannedPhoto } from './batch/plan/planned-photo.js';
export { cancelRun } from './fleet/cancel-run.js';
export type { EngineChoice } from './fleet/made-for.js';
export { retryRun, type RetryOptions } from './fleet/retry-run.js';
export type { RunState, WorkerState } from './fleet/run/run-record.js';
export { fleetStatus, type StatusOptions } from './fleet/status/fleet-status.js';
export type { FleetStatus, RunStatus, WorkerStatus } from './fleet/status/run-status.js';
export type { SubmitListener, SubmitOptions, SubmitProgress, SubmittedRun } from './fleet/submit/options.js';
export { submitRun } from './fleet/submit/submit-run.js';
export type { WorkerCropper } from './fleet/worker/messages.js';
export type { RunningWorker, WorkerListener, WorkerOptions } from './fleet/worker/options.js';
export { startWorker } from './fleet/worker/worker.js';
export { startServer, startStudio, startStudy } from './serving.js';
export type { RunningServer } from './server/running-server.js';
export type { StudioOptions } from './studio/options.js';
export type { StudyOptions } from './studio/start-study.js';
export type { ServerOptions } from './server/options.js';
export { decodePhoto } from './photo/decode.js';
export type { DecodeOptions, Photo } from './photo/decode.js';
export type { Cicp } from './photo/formats/types.js';
export type { PixelBudget } from './photo/frame.js';
export type { Animation, ApngTiming } from './photo/photo-file.js';
export type { RawFile } from './photo/raw-preview.js';
export type { PhotoFormat } from './photo/sniff.js';
export { writeFileAtomic } from './files/write.js';
export type { WriteOptions } from './files/write.js';
export { SIDECAR_NAMES, type NamesIn, type SidecarName } from './photo/metadata/sidecar-path.js';
export { sidecarPathOf, writeSidecar } from './photo/metadata/sidecar.js';
export { losslessCrop } from './photo/lossless/lossless-crop.js';
export type { LosslessCrop, LosslessCropOptions, MovedEdges } from './photo/lossless/lossless-crop.js';
export { embedCrop } from './photo/metadata/embed-crop.js';
export type { NotedState } from './photo/metadata/crop-in-xmp.js';
export type { EmbedCropOptions, EmbeddedCrop } from './photo/metadata/embed-crop.js';
export type { SidecarOptions, SidecarOutcome } from './photo/metadata/sidecar.js';
export { encodeCrop } from './photo/crop-file.js';
export type { EncodeCropOptions, EncodedCrop } from './photo/crop-file.js';
export type { Canvas } from './photo/canvas.js';
export type { EncodedImage, EncodeOptions } from './photo/encode.js';
export { OUTPUT_FORMATS } from './photo/output-format.js';
export type { OutputFormat } from './photo/output-format.js';
export type { BytesBody, BytesStream, PhotoInput } from './photo/input-kinds.js';
export {
  candidateSchema,
  cropRectSchema,
  cropResultSchema,
  ELEMENT_KINDS,
  elementSchema,
  ENGINES,
  FALLBACKS,
  FITS,
  refusedTargetSchema,
} from './base/schema.js';
export type {
  Candidate,
  CropRect,
  CropResult,
  Element,
  ElementKind,
  EngineName,
  Fallback,
  RefusedTarget,
  Fit,
} from './base/schema.js';
export type { ContextCounters, DeviceInfo, GpuChoice, LogLine, LoraSpec, RuntimeInfo } from './runtime/types.js';
