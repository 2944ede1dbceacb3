import type { OptionKinds } from '../base/options-check.js';
import { FALLBACKS, FITS } from '../base/schema.js';
import { PLACES } from '../crop/place.js';
import type { CropWishes, HeldWishes } from '../crop/wishes.js';
import { OUTPUT_FORMATS } from '../photo/output-format.js';
import type {
  CropAllOptions,
  CropEachOptions,
  CropFileOptions,
  CropOptions,
  CropperOptions,
  HeldCropOptions,
  PhotoTask,
} from './options.js';
import { SERIES } from './series/series-wish.js';

const WISHES: OptionKinds<CropWishes> = {
  candidates: 'number',
  votes: 'number',
  keep: 'list',
  focus: 'object',
  cameraFocus: 'boolean',
  place: PLACES,
  margin: 'text',
  minSize: 'number',
  fit: FITS,
  background: 'text',
  enlarge: 'boolean',
  minConfidence: 'number',
  fallback: FALLBACKS,
  straighten: 'any', // words or a number, which checkStraighten checks
  wholeText: 'boolean',
  instruct: 'text',
  temperature: 'number',
  seed: 'number',
  onProgress: 'function',
  onConversation: 'function',
  onThought: 'function',
  signal: 'signal',
};

export const CROP_OPTIONS: OptionKinds<CropOptions> = { ...WISHES, aspect: 'text', size: 'text', like: 'any' };

export const CROP_EACH_OPTIONS: OptionKinds<CropEachOptions> = {
  ...WISHES,
  aspects: 'list',
  sizes: 'list',
  series: SERIES,
  like: 'any', // text or an object, which openReference checks
};

export const CROP_ALL_OPTIONS: OptionKinds<CropAllOptions> = { ...CROP_EACH_OPTIONS, onError: 'function' };

export const CROP_BUFFER_OPTIONS: OptionKinds<CropFileOptions> = {
  ...CROP_OPTIONS,
  format: OUTPUT_FORMATS,
  quality: 'number',
  strip: 'boolean',
};

export const CROP_FILE_OPTIONS: OptionKinds<CropFileOptions & { readonly force?: boolean }> = {
  ...CROP_BUFFER_OPTIONS,
  force: 'boolean',
};

export const PHOTO_TASK: OptionKinds<PhotoTask> = {
  input: 'any',
  name: 'text',
  results: 'list',
  aspects: 'list',
  sizes: 'list',
  keep: 'list',
  focus: 'object',
  cameraFocus: 'boolean',
  place: PLACES,
  margin: 'text',
  minSize: 'number',
  fit: FITS,
  background: 'text',
  enlarge: 'boolean',
  straighten: 'any',
  instruct: 'text',
};

export const LOOK_OPTIONS: OptionKinds<Pick<CropOptions, 'seed' | 'temperature' | 'signal'>> = {
  seed: 'number',
  temperature: 'number',
  signal: 'signal',
};

export const HOLD_OPTIONS: OptionKinds<Pick<CropOptions, 'signal'>> = { signal: 'signal' };

export const HELD_CROP_OPTIONS: OptionKinds<HeldCropOptions> = {
  aspect: 'text',
  candidates: 'number',
  votes: 'number',
  minSize: 'number',
  without: 'list',
  onConversation: 'function',
  onThought: 'function',
  signal: 'signal',
};

export const HELD_RANK_OPTIONS: OptionKinds<Pick<HeldWishes, 'without' | 'signal'>> = {
  without: 'list',
  signal: 'signal',
};

export const CROPPER_OPTIONS: OptionKinds<CropperOptions> = {
  engine: 'any', // one or a list of them, which openCropper checks
  index: 'text',
  model: 'text',
  mmproj: 'text',
  loras: 'list',
  gpu: ['auto', 'cuda', 'vulkan', 'metal', 'cpu'],
  cpu: 'text',
  addonPath: 'text',
  threads: 'number',
  gpuLayers: 'number',
  projectorOnGpu: 'boolean',
  mmap: 'boolean',
  kvType: ['f16', 'q8_0', 'f32'],
  flashAttention: 'boolean',
  vramBytes: 'number',
  memoryBytes: 'number',
  memory: ['plan', 'ignore'],
  imageTokens: 'number',
  encodeAhead: 'boolean',
  releaseEncoder: 'boolean',
  parallel: 'any', // a number or a word, which openCropper checks
  maxPixels: 'number',
  firstFrame: 'boolean',
  rawPreview: 'boolean',
  faces: 'boolean',
  onLog: 'function',
  onProgress: 'function',
  signal: 'signal',
};
