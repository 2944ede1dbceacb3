import { InvalidArgumentError, Option, type Command } from 'commander';
import { existsSync } from 'node:fs';
import { counted } from '../../base/counted.js';
import { NUMBER_POLICIES, type NumberPolicy } from '../../../gguf/index.js';
import { defined } from '../../base/defined.js';
import { LORA_TARGETS, type LoraTarget } from '../../runtime/trainer.js';
import type { GpuChoice } from '../../runtime/types.js';
import type { CurveRow } from '../../train/native/curves.js';
import type { Change } from '../../train/native/figures.js';
import type { TrainingData } from '../../train/native/prepare.js';
import type { TrainKind } from '../../train/native/records.js';
import { TRAIN_DEFAULTS, type TrainSettings } from '../../train/native/settings.js';
import { runFiles, trainAdapter, type TrainedAdapter } from '../../train/native/train-adapter.js';
import { durationText, planLines, type TrainingPlan } from '../../train/native/training-plan.js';
import { GPUS, parseShare, parseSize, parseWhole } from '../options.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { Progress } from '../terminal/progress.js';
import { printText, say } from '../terminal/visible.js';

interface AdapterFlags {
  readonly output: string;
  readonly model: string;
  readonly mmproj?: string;
  readonly lora?: string;
  readonly gpu: GpuChoice;
  readonly threads?: number;
  readonly epochs: number;
  readonly steps?: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly warmup: number;
  readonly weightDecay: number;
  readonly clip: number;
  readonly beta?: number;
  readonly spread?: number;
  readonly numbers?: NumberPolicy;
  readonly rank?: number;
  readonly alpha?: number;
  readonly targets?: readonly LoraTarget[];
  readonly seed: number;
  readonly every?: number;
  readonly recompute?: boolean;
  readonly memory?: number;
  readonly resume: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

const WORDS: Readonly<Record<TrainKind, { readonly what: string; readonly help: string }>> = {
  sft: {
    what: 'learn to answer as the conversations of an export do (supervised fine-tuning), as a LoRA adapter',
    help: `
Examples:
  framewright train sft --dry-run export/                          # memory and time, nothing else
  framewright train sft --learning-rate 1e-3 -o taste.gguf export/
  framewright train sft --resume -o taste.gguf export/             # after Ctrl-C or a power cut

Use it with framewright --lora taste.gguf photo.jpg. Beside it, taste-training/ holds curves.html, curves.csv and the checkpoint. What is held out is never learnt from.`,
  },
  dpo: {
    what: 'learn which of two answers people prefer (direct preference optimization), as a LoRA adapter',
    help: `
Examples:
  framewright train dpo --lora sft.gguf -o dpo.gguf export/    # goes on from sft.gguf, which is the reference too
  framewright train dpo --beta 0.1 --epochs 1 -o dpo.gguf export/

dpo.gguf holds what --lora had learnt too: use it alone, framewright --lora dpo.gguf photo.jpg. curves.html shows what beta does to this run.`,
  },
};

/** `framewright train sft|dpo <export folder>`: training inside Framewright, without Python. */
export function addAdapterCommand(train: Command, kind: TrainKind): void {
  const defaults = TRAIN_DEFAULTS[kind];
  const command = train
    .command(kind)
    .description(WORDS[kind].what)
    .argument('<folder>', 'what "train export" wrote')
    .requiredOption('-o, --output <file>', 'the adapter to write (.gguf)')
    .option('--model <name|file>', 'the model it is for, by name or .gguf file', 'nano')
    .option('--mmproj <file>', 'its vision file (default: the one beside the model)')
    .option('--lora <file>', `an adapter to go on from${kind === 'dpo' ? ', which is the reference too' : ''}`)
    .addOption(new Option('--gpu <kind>', 'what it runs on').choices(GPUS).default('auto'))
    .option('--threads <n>', 'CPU threads (default: the physical cores)', parseWhole('threads', 1, 1024))
    .option('--epochs <n>', 'how often each is learnt from', parsePositive, defaults.epochs)
    .option('--steps <n>', 'steps, in place of epochs', parseWhole('steps', 1, 1e7))
    .option('--batch <n>', 'how many make a step', parseWhole('batch', 1, 1e6), defaults.batchSize)
    .option('--learning-rate <x>', 'the rate at its highest', parsePositive, defaults.learningRate)
    .option('--warmup <share>', 'share of the steps on the way up to it', parseShare, defaults.warmup)
    .option('--weight-decay <x>', "AdamW's", parseNumber, defaults.weightDecay)
    .option('--clip <x>', 'longest gradient; 0: any', parseNumber, defaults.clipNorm);
  if (kind === 'dpo') command.option('--beta <x>', 'how much a margin counts', parsePositive, defaults.beta);
  else
    command.option(
      '--spread <px>',
      'numbers beside a coordinate that count as it in part: their standard deviation',
      parseNumber,
      defaults.spread,
    );
  command
    .option('--rank <n>', `rank of a new adapter (default: ${defaults.rank})`, parseWhole('rank', 1, 4096))
    .option('--alpha <x>', 'its alpha (default: twice the rank)', parsePositive)
    .option('--targets <names>', `matrices that get one, of ${LORA_TARGETS.join(',')} (default: all)`, parseTargets)
    .addOption(
      new Option(
        '--numbers <how>',
        'how its answers choose numbers, which its file says (default: as that of --lora)',
      ).choices(NUMBER_POLICIES),
    )
    .option('--seed <n>', 'seed of the order, and of a new adapter', parseWhole('seed', 0, 2 ** 31), defaults.seed)
    .option('--every <n>', 'steps between looks at what is held out (default: a tenth)', parseWhole('every', 1, 1e7))
    .option('--recompute', 'compute layers anew on the way back, for less memory (default: where needed)')
    .option('--no-recompute', 'never do')
    .option('--memory <size>', 'plan for this much main memory, e.g. 6GB (default: what is free)', parseSize)
    .option('--resume', 'go on from the checkpoint of the same command', false)
    .option('--force', 'overwrite, and begin anew', false)
    .option('--dry-run', 'only say what it would take', false)
    .option('--json', 'one JSON object at the end', false)
    .addHelpText('after', WORDS[kind].help)
    .action((folder: string, flags: AdapterFlags) => run(kind, folder, flags));
}

async function run(kind: TrainKind, folder: string, flags: AdapterFlags): Promise<void> {
  const { signal, stopListening } = interruptSignal();
  const progress = new Progress();
  const { output, model, gpu, resume, force, dryRun } = flags;
  let planned: TrainingPlan | undefined;
  try {
    const trained = await trainAdapter({
      kind,
      folder,
      output,
      model,
      gpu,
      resume,
      force,
      dryRun,
      signal,
      settings: settingsOf(flags),
      ...defined({
        mmproj: flags.mmproj,
        lora: flags.lora,
        numbers: flags.numbers,
        threads: flags.threads,
        recompute: flags.recompute,
        memoryBytes: flags.memory,
      }),
      onPlan: (plan, data) => {
        planned = plan;
        tellPlan(plan, data);
      },
      onStage: (what, done, total) => progress.show(stageText(what, done, total)),
      onStep: (row, nSteps) => {
        progress.show(stepText(row, nSteps));
        if (row.heldOut && process.stderr.isTTY) {
          progress.clear();
          say(`${stepText(row, nSteps)}\n`);
        }
      },
    });
    progress.clear();
    if (trained) tellResult(kind, trained, flags.json);
    else if (flags.json) printText(`${JSON.stringify(planned)}\n`);
  } catch (error) {
    progress.clear();
    if (signal.aborted && existsSync(runFiles(output).checkpoint))
      say('framewright: a checkpoint is kept: the same command with --resume goes on\n');
    throw error;
  } finally {
    stopListening();
  }
}

function settingsOf(flags: AdapterFlags): Partial<TrainSettings> {
  const { epochs, batch, learningRate, warmup, weightDecay, clip, seed } = flags;
  return {
    epochs,
    batchSize: batch,
    learningRate,
    warmup,
    weightDecay,
    clipNorm: clip,
    seed,
    ...defined({
      nSteps: flags.steps,
      beta: flags.beta,
      spread: flags.spread,
      rank: flags.rank,
      alpha: flags.alpha,
      targets: flags.targets,
      every: flags.every,
    }),
  };
}

function tellPlan(plan: TrainingPlan, { nTies }: TrainingData): void {
  for (const line of planLines(plan)) say(`framewright: ${line}\n`);
  if (nTies > 0)
    say(`framewright: ${counted(nTies, 'tie')} ${nTies === 1 ? 'was' : 'were'} left out: both answers are the same\n`);
  if (plan.nHeldOut === 0) say('framewright: nothing is held out, so nothing will tell whether it helped\n');
}

function stageText(what: 'loading' | 'images' | 'references' | 'heldOut', done: number, total: number): string {
  switch (what) {
    case 'loading':
      return `loading the model: ${Math.round(100 * done)} %`;
    case 'images':
      return `looking at photos: ${done} of ${total}`;
    case 'references':
      return `what the model prefers now: ${done} of ${total} pairs`;
    case 'heldOut':
      return `looking at what is held out: ${done} of ${total}`;
  }
}

function stepText(row: CurveRow, nSteps: number): string {
  const { step, loss, accuracy, margin, seconds, heldOut } = row;
  const left = (seconds / step) * (nSteps - step);
  return [
    `step ${step} of ${nSteps}`,
    `loss ${loss.toFixed(3)}`,
    `accuracy ${(100 * accuracy).toFixed(0)} %`,
    ...(margin === undefined ? [] : [`margin ${margin.toFixed(2)}`]),
    ...(heldOut === undefined
      ? []
      : [`held out: loss ${heldOut.loss.toFixed(3)}, ${(100 * heldOut.accuracy).toFixed(0)} %`]),
    ...(step < nSteps ? [`${durationText(left)} left`] : []),
  ].join(', ');
}

function tellResult(kind: TrainKind, trained: TrainedAdapter, json: boolean): void {
  if (json) printText(`${JSON.stringify(trained)}\n`);
  const { adapter, page, nSteps, seconds, change, overModel } = trained;
  say(`framewright: ${adapter} after ${counted(nSteps, 'step')} in ${durationText(seconds)}; curves: ${page}\n`);
  if (change) say(`framewright: ${changeText(kind, change)}\n`);
  if (overModel) say(`framewright: against the model without any adapter, ${changeText(kind, overModel)}\n`);
}

/** Whether it helped, said as plainly as the interval allows. */
function changeText(kind: TrainKind, { before, after, low, high }: Change): string {
  const [what, digits, scale] =
    kind === 'dpo'
      ? (['held-out pairs whose chosen answer is the likelier, in %', 1, 100] as const)
      : (['mean log-probability of a held-out answer token', 3, 1] as const);
  const text = (value: number): string => (scale * value).toFixed(digits);
  const verdict = low > 0 ? 'it helped' : high < 0 ? 'it made things worse' : 'this does not show that it helped';
  return `${what}: ${text(before)} before, ${text(after)} now; change ${text(after - before)} [${text(low)}, ${text(high)}]: ${verdict}`;
}

function parsePositive(text: string): number {
  const value = parseNumber(text);
  if (value > 0) return value;
  throw new InvalidArgumentError('It is a number above 0.');
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('It is a number of 0 or more.');
}

function parseTargets(text: string): readonly LoraTarget[] {
  const names = text.split(',').map((name) => name.trim());
  const known = LORA_TARGETS.filter((target) => names.includes(target));
  if (known.length === names.length) return known;
  throw new InvalidArgumentError(`It is names of ${LORA_TARGETS.join(',')}, with commas between.`);
}
