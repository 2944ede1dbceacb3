import type { FuzzTarget } from '../target.js';
import { metadataTargets } from './metadata.js';

export const FUZZ_TARGETS: readonly FuzzTarget[] = [...metadataTargets];
