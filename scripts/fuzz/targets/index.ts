import type { FuzzTarget } from '../target.js';
import { trustTargets } from './trust.js';

export const FUZZ_TARGETS: readonly FuzzTarget[] = [...trustTargets];
