import type { Command } from 'commander';
import { defined } from '../../base/defined.js';
import { examine } from '../../doctor/examine.js';
import type { Finding } from '../../doctor/finding.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { addModelFlags, type ModelFlags } from '../options.js';
import { EXIT } from '../terminal/report-error.js';
import { printText } from '../terminal/visible.js';

const HELP = `
Looks at Node.js, memory, image libraries, models, the native addon and its GPU backends, and crops a test photo. Each
problem comes with what to do about it. What is optional is listed with what installs it.

Examples:
  framewright doctor
  framewright doctor --gpu cuda                  # why CUDA is not in use, library by library
  framewright doctor --model my-model.gguf --json

Exit codes: 0 all that is essential works, 1 something does not.`;

/** `framewright doctor`: what works here, what does not, and what to do about it. */
export function addDoctorCommand(program: Command, version: string): void {
  const command = program
    .command('doctor')
    .description('examine this installation and say what to do about each problem')
    .option('--json', 'one JSON object: { version, ok, findings }', false)
    .addHelpText('after', HELP);
  addModelFlags(command).action(async ({ json, model, mmproj, gpu, threads }: ModelFlags & { json: boolean }) => {
    const { signal, stopListening } = interruptSignal();
    try {
      const request = {
        model,
        gpu,
        ...defined({ mmproj, threads }),
      };
      const findings = await examine(request, signal);
      const ok = findings.every(({ status }) => status !== 'problem');
      printText(json ? `${JSON.stringify({ version, ok, findings })}\n` : textOf(version, findings));
      if (!ok) process.exitCode = EXIT.failure;
    } finally {
      stopListening();
    }
  });
}

function textOf(version: string, findings: readonly Finding[]): string {
  const needed = findings.filter(({ isOptional }) => isOptional !== true);
  const optional = findings.filter(({ isOptional }) => isOptional === true);
  const width = Math.max(...needed.map(({ status }) => status.length)) + 2;
  const indent = ' '.repeat(width + 2);
  const lines = needed.flatMap(({ status, summary, details = [], remedies = [] }) => [
    `${status.padEnd(width)}${summary}`,
    ...(status === 'ok' ? [] : details.map((line) => `${indent}${line}`)),
    ...remedies.map((line) => `${indent}-> ${line}`),
  ]);
  const count = (wanted: Finding['status']): number => findings.filter(({ status }) => status === wanted).length;
  const nProblems = count('problem');
  const end =
    nProblems === 0
      ? count('warning') === 0
        ? 'Everything works.'
        : 'Everything essential works.'
      : nProblems === 1
        ? 'One problem keeps Framewright from working.'
        : `${nProblems} problems keep Framewright from working.`;
  const more = optional.map(({ summary, remedies = [] }) => `  ${[summary, ...remedies].join(': ')}`);
  return `framewright ${version}\n\n${lines.join('\n')}\n\nOptional:\n${more.join('\n')}\n\n${end}\n`;
}
