// The tests of the prebuilt GPU libraries, with their packages (350 MB) in a folder of their own for as long as they run.
// Needs the registry. Usage: npm run test:gpu
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const { dependencies } = JSON.parse(readFileSync(path.join(root, 'native', 'package.json'), 'utf8'));
const packages = ['linux-x64-cuda', 'linux-x64-cuda-ext', 'linux-x64-vulkan'].map(
  (name) => `@node-llama-cpp/${name}@${dependencies['node-llama-cpp']}`,
);
if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.log('not tested here: the prebuilt GPU libraries (needs Linux x64)');
  process.exit();
}
const folder = mkdtempSync(path.join(tmpdir(), 'framewright-gpu-'));
try {
  const install = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', ...packages];
  execFileSync('npm', install, { cwd: folder, stdio: 'inherit' });
  // Packages are looked up there too.
  const env = { ...process.env, NODE_PATH: path.join(folder, 'node_modules') };
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const tests = ['test/runtime/backends', 'test/runtime/binding.test.ts', 'test/doctor'];
  execFileSync(process.execPath, [vitest, 'run', ...tests], { cwd: root, env, stdio: 'inherit' });
} catch (error) {
  if (error.status === undefined) throw error;
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
