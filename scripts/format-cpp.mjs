// Formats native/src with clang-format; `--check` only reports.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const dir = path.join(root, 'native', 'src');
const files = readdirSync(dir, { recursive: true })
  .filter((name) => /\.(cpp|h)$/.test(name))
  .map((name) => path.join(dir, name));
const args = process.argv.includes('--check') ? ['--dry-run', '--Werror'] : ['-i'];
const bin = path.join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'clang-format.cmd' : 'clang-format');
const run = spawnSync(bin, [...args, ...files], { stdio: 'inherit' });
if (run.error) console.error(`format-cpp: cannot run clang-format: ${run.error.message}`);
process.exit(run.status ?? 1);
