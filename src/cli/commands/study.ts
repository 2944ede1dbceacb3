import type { Command } from 'commander';
import path from 'node:path';
import { counted } from '../../base/counted.js';
import { FramewrightError } from '../../base/errors.js';
import { checkOutput, writeFileAtomic } from '../../files/write.js';
import { makeStudy } from '../../studio/study/make-study.js';
import { readStudy } from '../../studio/study/study-file.js';
import { parseWhole } from '../options.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { printText, say } from '../terminal/visible.js';

interface MakeFlags {
  readonly output: string;
  readonly judges: number;
  readonly checks: number;
  readonly seed: number;
  readonly force: boolean;
}

const HELP = `
What the files say of the same photos for the same ratio or size is compared. Look through the attention checks it makes, a
crop of the first method against a corner of the photo, before anybody judges. docs/study.md describes studies.

Examples:
  framewright study make framewright=a.jsonl rules=b.jsonl -o study.json --judges 5 --checks 4
  framewright study make flms.json -o study.json   # what an evaluation wrote`;

const GROUP_HELP = `
framewright studio --study study.json then asks people; docs/study.md describes it.

Examples:
  framewright study make framewright=a.jsonl rules=b.jsonl -o study.json`;

/** `framewright study make`: a study's file, of crops that are made. */
export function addStudyCommand(program: Command): void {
  program
    .command('study')
    .description('studies: which of two crops people prefer')
    .addHelpText('after', GROUP_HELP)
    .command('make')
    .description('make a study of what crop --json or eval --out wrote')
    .argument('<results...>', 'name=file.jsonl of two methods or more, or one .json of eval --out')
    .requiredOption('-o, --output <file>', 'the study (.json)')
    .option('--judges <n>', 'how many people judge', parseWhole('judges', 1, 1000), 3)
    .option('--checks <n>', 'attention checks', parseWhole('checks', 0, 1000), 3)
    .option('--seed <n>', 'draws orders, sides and the checked photos', parseWhole('seed', 0, 2 ** 32 - 1), 0)
    .option('--force', 'replace the file', false)
    .addHelpText('after', HELP)
    .action(make);
}

async function make(results: readonly string[], flags: MakeFlags): Promise<void> {
  const { output, judges, checks, seed, force } = flags;
  await checkOutput(output, { force });
  const { signal, stopListening } = interruptSignal();
  try {
    const study = await makeStudy({ sources: results.map(sourceOf), judges, nChecks: checks, seed, signal });
    await writeFileAtomic(output, Buffer.from(`${JSON.stringify(study, undefined, 2)}\n`), { force, signal });
    const { pairs, nSame } = await readStudy(output);
    if (nSame > 0)
      say(
        `framewright: ${counted(nSame, 'pair')} of the very same crop ${nSame === 1 ? 'is' : 'are'} not asked about\n`,
      );
    const checked = counted(study.checks?.length ?? 0, 'attention check');
    say(`framewright: ${counted(pairs.length, 'pair')}, ${checked} to be looked through\n`);
    printText(`${output}\n`);
  } finally {
    stopListening();
  }
}

/** `name=file`, or a file that gives its name. */
function sourceOf(text: string): { method: string; file: string } {
  const at = text.indexOf('=');
  const [method, file] = at < 0 ? [path.parse(text).name, text] : [text.slice(0, at), text.slice(at + 1)];
  if (method !== '' && file !== '') return { method, file };
  throw new FramewrightError('USAGE', `"${text}" names no results: write name=file.jsonl`);
}
