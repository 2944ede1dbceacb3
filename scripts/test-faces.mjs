// The tests of finding faces, with the optional packages that do it (330 MB) in a folder of their own for as long as they
// run. Needs the registry. Usage: npm run test:faces
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const { peerDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const packages = Object.entries(peerDependencies).map(([name, range]) => `${name}@${range}`);
const folder = mkdtempSync(path.join(tmpdir(), 'framewright-faces-'));
try {
  const install = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', ...packages];
  execFileSync('npm', install, { cwd: folder, stdio: 'inherit' });
  // They are loaded by require, which looks there too.
  const env = { ...process.env, NODE_PATH: path.join(folder, 'node_modules') };
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  execFileSync(process.execPath, [vitest, 'run', 'test/faces'], { cwd: root, env, stdio: 'inherit' });
} catch (error) {
  if (error.status === undefined) throw error;
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
