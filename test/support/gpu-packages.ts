import { join } from 'node:path';
import { packageRoot } from '../../src/files/package-root.js';
import { findPackage } from '../../src/runtime/backends/packages.js';

/**
 * A prebuilt GPU library of llama.cpp in its package, `linux-x64-cuda` and what is below its `bins`; undefined where the
 * package is not installed. `npm run test:gpu` runs the tests that need them, with the packages in a folder of their own.
 */
export function gpuLibrary(name: string, ...rest: string[]): string | undefined {
  const found = findPackage(`@node-llama-cpp/${name}`, join(packageRoot, 'native'));
  return found && join(found.dir, 'bins', ...rest);
}
