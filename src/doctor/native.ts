import { fork } from 'node:child_process';
import { z } from 'zod';
import { REBUILD } from '../runtime/backends/builds.js';
import type { GpuChoice } from '../runtime/types.js';
import type { Finding } from './finding.js';

/** What the child is asked to look at; see native-child.ts. */
export interface NativeRequest {
  readonly model: string;
  readonly mmproj?: string;
  readonly gpu: GpuChoice;
  readonly threads?: number;
}

const messageSchema = z.union([
  z.object({ begun: z.string() }),
  z.object({
    finding: z.object({
      check: z.string(),
      status: z.enum(['ok', 'note', 'warning', 'problem']),
      summary: z.string(),
      details: z.array(z.string()).optional(),
      remedies: z.array(z.string()).optional(),
    }),
  }),
]);
export type NativeMessage = { readonly begun: string } | { readonly finding: Finding };

/**
 * What needs native code, looked at in a process of its own: an addon or driver that ends the process (an instruction
 * this CPU lacks, a broken driver) is a finding then, and not the end of the examination.
 */
export function checkNative(request: NativeRequest, signal: AbortSignal): Promise<Finding[]> {
  return new Promise((resolve, reject) => {
    const findings: Finding[] = [];
    let begun = 'start';
    let stderr = '';
    const child = fork(new URL('native-child.js', import.meta.url), [JSON.stringify(request)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // The user's options (an inspector's port, loaders) are not meant for it.
      execArgv: [],
      signal,
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-4000)));
    child.on('message', (message) => {
      const parsed = messageSchema.parse(message);
      if ('begun' in parsed) begun = parsed.begun;
      else findings.push(parsed.finding as Finding);
    });
    child.on('error', (error) => reject(signal.aborted ? signal.reason : error));
    child.on('close', (code, killedBy) => {
      if (code !== 0) findings.push(crashed(begun, killedBy ?? `exit code ${code ?? 'unknown'}`, stderr));
      resolve(findings);
    });
  });
}

const SIGNAL_REMEDIES: Readonly<Record<string, string>> = {
  SIGILL: 'this CPU lacks an instruction the libraries use: compile them here, npm run build:native -- --from-source',
  SIGKILL: 'the system ended it, most likely for want of memory: choose a smaller model',
};

function crashed(check: string, how: string, stderr: string): Finding {
  const said = stderr.split('\n').filter((line) => line.trim() !== '');
  return {
    check,
    status: 'problem',
    summary: `the process that looked at it ended with ${how}`,
    ...(said.length > 0 ? { details: said.slice(-5) } : {}),
    remedies: [
      SIGNAL_REMEDIES[how] ?? `build the addon anew (${REBUILD}); if a GPU driver is to blame, --gpu cpu does without`,
    ],
  };
}
