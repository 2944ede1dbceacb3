import type { FuzzTarget } from '../target.js';
import { photoTargets } from './photos.js';
import { trustTargets } from './trust.js';

export const FUZZ_TARGETS: readonly FuzzTarget[] = [...photoTargets, ...trustTargets];
