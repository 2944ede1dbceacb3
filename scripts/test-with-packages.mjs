// Runs tests with packages that the project does not install, in a folder of their own for as long as they run. Needs the
// registry.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '..');

/**
 * Sets the exit code where the installation or a test fails.
 * @param {string[]} packages as npm takes them
 * @param {string[]} tests as vitest takes them
 */
export function testWithPackages(packages, tests) {
  const folder = mkdtempSync(path.join(tmpdir(), 'framewright-packages-'));
  try {
    const install = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', ...packages];
    execFileSync('npm', install, { cwd: folder, stdio: 'inherit' });
    // What is loaded by require is looked up there too.
    const env = { ...process.env, NODE_PATH: path.join(folder, 'node_modules') };
    const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
    execFileSync(process.execPath, [vitest, 'run', ...tests], { cwd: root, env, stdio: 'inherit' });
  } catch (error) {
    if (error.status === undefined) throw error;
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
