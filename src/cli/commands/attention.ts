import type { Command } from 'commander';
import { attentionCsv, attentionMarkdown, attentionTable, type AttentionResult } from '../../attention/tables.js';
import { photoAttention } from '../../attention/photo-attention.js';
import { renderAttentionReport } from '../../attention/report.js';
import { openCropper } from '../../cropper/cropper.js';
import { FramewrightError } from '../../base/errors.js';
import { checkOutput, writeFileAtomic } from '../../files/write.js';
import { expandInputs, STDIN } from '../../batch/inputs.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { addModelFlags, cropperOptionsOf, parseWhole, type ModelFlags } from '../options.js';
import { Progress } from '../terminal/progress.js';
import { EXIT, photoErrorText } from '../terminal/report-error.js';
import { warnUntrained } from '../terminal/warnings.js';
import { printText, say } from '../terminal/visible.js';

interface AttentionFlags extends ModelFlags {
  readonly recursive: boolean;
  readonly limit?: number;
  readonly report?: string;
  readonly out?: string;
  readonly csv?: string;
  readonly json: boolean;
  readonly force: boolean;
}

const HELP = `
The answer that proposes crops is looked at, once with the elements drawn on the photo and once without. docs/evaluation.md
says what the figures mean.

Examples:
  framewright attention photos/
  framewright attention photos/*.jpg --report attention.html --csv attention.csv`;

/** `framewright attention <photos>`: what proposed crops attend to, a table on stdout. */
export function addAttentionCommand(program: Command): void {
  const command = program
    .command('attention')
    .description('show what the model attends to when it proposes crops: words, coordinates, places in the photo')
    .argument('<photos...>', 'image files, folders and patterns of them')
    .option('--recursive', 'look below folders', false)
    .option('--limit <n>', 'only the first n photos', parseWhole('limit', 1, Number.MAX_SAFE_INTEGER))
    .option('--report <file>', 'a page with the table, layers and heads, and maps over the photos (.html)')
    .option('--out <file>', 'everything as JSON')
    .option('--csv <file>', 'by photo, layer and head as CSV')
    .option('--json', 'the table as one JSON object on stdout', false)
    .option('--force', 'overwrite', false)
    .addHelpText('after', HELP);
  addModelFlags(command).action((photos: readonly string[], flags: AttentionFlags) => runAttention(photos, flags));
}

async function runAttention(given: readonly string[], flags: AttentionFlags): Promise<void> {
  for (const output of [flags.report, flags.out, flags.csv]) {
    if (output) await checkOutput(output, { force: flags.force });
  }
  const { signal, stopListening } = interruptSignal();
  const progress = new Progress();
  try {
    const result = await attentionOf(given, flags, progress, signal);
    const write = (file: string, text: string): Promise<void> =>
      writeFileAtomic(file, Buffer.from(text), { force: flags.force, signal });
    if (flags.out !== undefined) await write(flags.out, `${JSON.stringify(result)}\n`);
    if (flags.csv !== undefined) await write(flags.csv, attentionCsv(result));
    if (flags.report !== undefined) await write(flags.report, await renderAttentionReport(result, { signal }));
    printText(flags.json ? `${JSON.stringify({ ...result, photos: undefined })}\n` : attentionMarkdown(result));
  } finally {
    progress.clear();
    stopListening();
  }
}

async function attentionOf(
  given: readonly string[],
  flags: AttentionFlags,
  progress: Progress,
  signal: AbortSignal,
): Promise<AttentionResult> {
  const found = await expandInputs(given, flags.recursive);
  for (const note of found.notes) say(`framewright: ${note}\n`);
  const paths = found.photos.slice(0, flags.limit);
  if (paths.includes(STDIN)) throw new FramewrightError('USAGE', 'attention takes files, not a photo on stdin');
  await using cropper = await openCropper({ ...cropperOptionsOf(flags), parallel: 2, signal });
  warnUntrained(cropper);
  const photos: AttentionResult['photos'][number][] = [];
  for (const path of paths) {
    progress.show(`${photos.length + 1} of ${paths.length}: ${path}`);
    try {
      photos.push({ path, ...(await photoAttention(cropper, path, { signal })) });
    } catch (error) {
      signal.throwIfAborted();
      if (paths.length === 1) throw error;
      progress.clear();
      say(`framewright: ${photoErrorText(path, error)}\n`);
      process.exitCode = EXIT.somePhotos;
    }
  }
  if (photos.length === 0) throw new FramewrightError('INPUT_CORRUPT', 'none of the photos can be looked at');
  const { name, sha256, promptVersion, trained } = cropper.model!;
  const { byHead } = photos[0]!.conditions.enhanced;
  return {
    schemaVersion: 1,
    createdAt: new Date().toISOString(),
    model: { name, sha256, promptVersion },
    isTrained: trained,
    nLayer: byHead.length,
    nHead: byHead[0]!.length,
    table: attentionTable(photos),
    photos,
  };
}
