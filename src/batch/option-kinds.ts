import type { OptionKinds } from '../base/options-check.js';
import { CROP_BUFFER_OPTIONS, CROP_EACH_OPTIONS } from '../cropper/option-kinds.js';
import { SIDECAR_NAMES } from '../photo/metadata/sidecar-path.js';
import type { BatchListener } from './listener.js';
import type { BatchOptions } from './options.js';

const { onProgress: _, onConversation: __, onThought: ___, ...WISHES } = CROP_EACH_OPTIONS;
const { format, quality, strip } = CROP_BUFFER_OPTIONS;

export const BATCH_OPTIONS: OptionKinds<BatchOptions> = {
  ...WISHES,
  ...{ format, quality, strip },
  inputs: 'list',
  recursive: 'boolean',
  filter: 'function',
  cropper: 'object',
  maxPixels: 'number',
  firstFrame: 'boolean',
  output: 'text',
  name: 'text',
  top: 'number',
  overlay: 'boolean',
  // Its own check says what it may be.
  xmp: 'any',
  xmpName: SIDECAR_NAMES,
  lossless: 'boolean',
  keepTime: 'boolean',
  force: 'boolean',
  dryRun: 'boolean',
  journal: 'any',
  resume: 'boolean',
  report: 'text',
  contactSheet: 'text',
  reviewList: 'text',
  hints: 'text',
  choices: 'text',
  stdin: 'function',
  stdout: 'function',
  noMore: 'signal',
};

export const LISTENER: OptionKinds<BatchListener> = {
  onPrepare: 'function',
  onNote: 'function',
  onPlan: 'function',
  onOpen: 'function',
  onResume: 'function',
  onBegin: 'function',
  onPhoto: 'function',
  onFailure: 'function',
  onProgress: 'function',
  onSummaryError: 'function',
  onEnd: 'function',
};
