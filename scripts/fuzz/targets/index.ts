import type { FuzzTarget } from '../target.js';
import { metadataTargets } from './metadata.js';
import { photoTargets } from './photos.js';
import { trustTargets } from './trust.js';

export const FUZZ_TARGETS: readonly FuzzTarget[] = [...photoTargets, ...metadataTargets, ...trustTargets];
