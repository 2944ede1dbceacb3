import type { Command } from 'commander';
import { defined } from '../../base/defined.js';
import { bytesText } from '../../base/bytes-text.js';
import { FramewrightError } from '../../base/errors.js';
import { variantBytes } from '../../model/catalog.js';
import { readCatalog } from '../../model/catalog-file.js';
import { BUNDLED_MODELS, catalogName, resolveModel, type ModelSelection } from '../../model/resolve.js';
import { placesOf, stateOf } from '../../model/store.js';
import { verifyModel } from '../../model/verify.js';
import { loadPromptProfile } from '../../vlm/prompt/profile.js';
import { alignedLines } from '../../base/text-table.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { addPlanCommand } from './model-plan.js';
import { addPullCommand } from './model-pull.js';
import { printText } from '../terminal/visible.js';

const HELP = {
  model: `
Examples:
  framewright model list
  framewright model plan qwen2.5-vl-7b --vram 8GB
  framewright model pull qwen2.5-vl-7b
  framewright model verify qwen2.5-vl-7b

A file framewright.models.json, here or in ~/.config/framewright, adds models of your own:
{ "schemaVersion": 1, "models": { "mine": { "extends": "qwen2.5-vl-7b", "loras": [{ "file": "crop.gguf" }] } } }`,
  list: `
Examples:
  framewright model list
  framewright model list --json | jq -r 'select(.state == "ready").name'`,
  verify: `
Examples:
  framewright model verify qwen2.5-vl-7b
  framewright model verify --mmproj vision.gguf model.gguf

Exit codes: 0 sound, 3 not.`,
} as const;

/** `framewright model list|verify|plan|pull`: which models there are, and whether their files are what they should be. */
export function addModelCommand(program: Command): void {
  const model = program
    .command('model')
    .description('models: which there are, what they need, and getting them')
    .addHelpText('after', HELP.model);
  model
    .command('list')
    .description('every model that can be named, and whether it is here')
    .option('--json', 'one JSON object a model', false)
    .addHelpText('after', HELP.list)
    .action(list);
  model
    .command('verify')
    .description('read a model’s files whole: size, sha256, and whether they are a pair that runs')
    .argument('[model]', 'name, folder or .gguf file', 'nano')
    .option('--mmproj <file>', 'its vision file (default: the one beside the model)')
    .option('--json', 'one JSON object', false)
    .addHelpText('after', HELP.verify)
    .action(verify);
  addPlanCommand(model);
  addPullCommand(model);
}

interface ListedModel {
  readonly name: string;
  readonly variant: string;
  /** Of all its files; 0 where nobody knows. */
  readonly bytes: number;
  readonly state: 'bundled' | 'ready' | 'partial' | 'absent';
  readonly licence: string;
  readonly source: string;
}

const STATE_TEXT = {
  bundled: 'bundled',
  ready: 'ready',
  partial: 'partly downloaded',
  absent: 'not downloaded',
} as const;

async function list(flags: { json: boolean }): Promise<void> {
  const models = await listModels();
  if (flags.json) {
    for (const model of models) print(JSON.stringify(model));
    return;
  }
  const rows = models.map(({ name, bytes, state, licence, source }) => [
    name,
    bytes > 0 ? bytesText(bytes) : '?',
    STATE_TEXT[state],
    licence,
    source,
  ]);
  for (const line of alignedLines([['name', 'size', 'state', 'licence', 'source'], ...rows], [1])) print(line);
}

async function listModels(): Promise<ListedModel[]> {
  const bundled = await Promise.all(
    Object.keys(BUNDLED_MODELS).map(async (name): Promise<ListedModel> => {
      const { manifest } = await resolveModel({ model: name });
      const { text, mmproj } = manifest!.files;
      return {
        name,
        variant: '',
        bytes: (text.bytes ?? 0) + (mmproj.bytes ?? 0),
        state: 'bundled',
        licence: manifest!.licence,
        source: 'this package',
      };
    }),
  );
  const others = (await readCatalog()).flatMap((entry) =>
    entry.variants.map((variant): ListedModel => ({
      name: catalogName(entry, variant),
      variant: variant.name,
      bytes: variantBytes(variant),
      state: stateOf(placesOf(entry, variant)),
      licence: entry.licence,
      source: entry.source,
    })),
  );
  return [...bundled, ...others];
}

/** What is wrong with how the model is to be asked. */
async function profileProblems(selection: ModelSelection): Promise<string[]> {
  try {
    await loadPromptProfile((await resolveModel(selection)).use.promptProfile);
    return [];
  } catch (error) {
    if (error instanceof FramewrightError && error.code === 'MODEL_INVALID') return [error.message];
    throw error;
  }
}

async function verify(model: string, flags: { mmproj?: string; json: boolean }): Promise<void> {
  const { signal, stopListening } = interruptSignal();
  try {
    const selection = { model, ...defined({ mmproj: flags.mmproj }) };
    const { name, files, problems: inFiles } = await verifyModel(selection, signal);
    const problems = [...inFiles, ...(await profileProblems(selection))];
    if (flags.json) print(JSON.stringify({ name, valid: problems.length === 0, files, problems }));
    else {
      for (const { path, bytes, sha256, against } of files)
        print(
          `${path}  ${bytes} bytes  sha256 ${sha256}${against === undefined ? ' (nothing to compare it with)' : ''}`,
        );
      for (const problem of problems) print(problem);
    }
    if (problems.length > 0)
      throw new FramewrightError(
        'MODEL_INVALID',
        `the model ${name} is not sound: ${problems[0]!}; delete the file and run "framewright model pull" if it was downloaded`,
      );
    if (!flags.json) print(`${name}: sound`);
  } finally {
    stopListening();
  }
}

function print(line: string): void {
  printText(`${line}\n`);
}
