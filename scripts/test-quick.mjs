// The inner loop: types and the quick tests side by side, since neither fills two cores by itself. Types are told last, so that
// what they say is not lost among the tests.
import { spawn } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

/** @returns what ran, once it has ended: its exit status and what it said, if that was kept. */
function run(command, args, stdio) {
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', stdio, stdio],
    shell: process.platform === 'win32',
  });
  const said = [];
  child.stdout?.on('data', (chunk) => said.push(chunk));
  child.stderr?.on('data', (chunk) => said.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status: status ?? 1, said: Buffer.concat(said).toString() }));
  });
}

const [types, tests] = await Promise.all([
  run('npm', ['run', '--silent', 'typecheck'], 'pipe'),
  run('npx', ['vitest', 'run', '--config', 'vitest.quick.config.ts', ...process.argv.slice(2)], 'inherit'),
]);
console.log(types.status === 0 ? 'types: no errors' : types.said);
process.exitCode = types.status || tests.status;
