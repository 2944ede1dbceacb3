import { defined } from '../base/defined.js';
import type { Finding } from './finding.js';
import { checkMemory, checkNode, checkSystem } from './machine.js';
import { checkModels } from './models.js';
import { checkNative, type NativeRequest } from './native.js';
import { checkOptional } from './optional.js';
import { checkCache, checkSharp } from './packages.js';

/** Looks at everything a crop needs, from Node to a crop made for a test. Throws only the signal's reason. */
export async function examine(request: NativeRequest, signal: AbortSignal): Promise<Finding[]> {
  const { model, mmproj } = request;
  return [
    checkNode(),
    checkSystem(),
    checkMemory(),
    await checkSharp(),
    await checkCache(),
    ...(await checkModels({ model, ...defined({ mmproj }) }, signal)),
    ...(await checkNative(request, signal)),
    ...checkOptional(),
  ];
}
