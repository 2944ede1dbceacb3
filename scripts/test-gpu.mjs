// The tests of the prebuilt GPU libraries, with their packages (350 MB). Usage: npm run test:gpu
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root, testWithPackages } from './test-with-packages.mjs';

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.log('not tested here: the prebuilt GPU libraries (needs Linux x64)');
  process.exit();
}
const { dependencies } = JSON.parse(readFileSync(path.join(root, 'native', 'package.json'), 'utf8'));
const packages = ['linux-x64-cuda', 'linux-x64-cuda-ext', 'linux-x64-vulkan'].map(
  (name) => `@node-llama-cpp/${name}@${dependencies['node-llama-cpp']}`,
);
testWithPackages(packages, ['test/runtime/backends', 'test/runtime/binding.test.ts', 'test/doctor']);
