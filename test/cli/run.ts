import { spawn } from 'node:child_process';
import { projectFile } from '../support/photos.js';

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What comes on stdin; nothing without. */
  readonly stdin?: Uint8Array;
  /** Called with the way to send the child a signal. */
  readonly onStart?: (kill: (signal: NodeJS.Signals) => void) => void;
  /** Called with the child when it has written something to stderr. */
  readonly onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** The environment of a program that finds none of these packages. */
export function withoutPackages(...names: readonly string[]): NodeJS.ProcessEnv {
  const hook = projectFile('test', 'support', 'without-packages.cjs');
  return { NODE_OPTIONS: `--require ${hook}`, WITHOUT_PACKAGES: names.join(',') };
}

/** Runs the built command as a user does. */
export function framewright(
  args: readonly string[],
  { cwd, env, stdin, onStart, onStderr }: RunOptions = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [projectFile('dist', 'src', 'cli', 'main.js'), ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.end(stdin);
    onStart?.((signal) => child.kill(signal));
    const chunks: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      onStderr?.(text, (signal) => child.kill(signal));
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const stdoutBytes = Buffer.concat(chunks);
      resolve({ code, signal, stdout: stdoutBytes.toString(), stdoutBytes, stderr });
    });
  });
}
