import type { FuzzTarget } from '../target.js';
import { photoTargets } from './photos.js';

export const FUZZ_TARGETS: readonly FuzzTarget[] = [...photoTargets];
