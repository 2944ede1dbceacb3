import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The compiled runtime, for threads and processes that cannot read TypeScript: `npm run build` first. */
export const RUNTIME_URL = new URL('../../dist/src/runtime/runtime.js', import.meta.url).href;

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a module's text in a process of its own, with `openRuntime` and the arguments as `args`. Rejects if it ends with
 * another status than 0, or by a signal.
 */
export async function runAlone(code: string, ...args: readonly string[]): Promise<Ran> {
  const program = `
    const { openRuntime } = await import(${JSON.stringify(RUNTIME_URL)});
    const args = process.argv.slice(1);
    ${code}`;
  return promisify(execFile)(process.execPath, ['--expose-gc', '--input-type=module', '-e', program, '--', ...args], {
    timeout: 50_000,
  });
}
