// Runs cmake-js with its whole output in a log file.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { packageDir } from './packages.mjs';

/** One cmake-js command; resolves to its exit status. `defines` become -D options of the configure step. */
export function cmakeJs(command, { outDir, logPath, defines = {}, jobs }) {
  const cli = path.join(packageDir('cmake-js'), 'bin', 'cmake-js');
  const args = [cli, command, '-d', import.meta.dirname, '-O', outDir];
  if (jobs) args.push('-p', String(jobs));
  for (const [name, value] of Object.entries(defines)) args.push(`--CD${name}=${value}`);
  const log = openSync(logPath, 'a');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', log, log] });
    child.on('error', reject);
    child.on('exit', (status) => resolve(status ?? 1));
  }).finally(() => closeSync(log));
}
