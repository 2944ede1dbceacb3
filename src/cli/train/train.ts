import type { Command } from 'commander';
import { addExportCommand } from './export.js';
import { addPrefsCommand } from './prefs.js';
import { addTasteCommand } from './taste.js';
import { addAdapterCommand } from './adapter.js';

const HELP = `
docs/training.md has the whole way, from photos to a cropped photo.

Examples:
  framewright train taste choices.jsonl -o taste/           # from your own choices to an adapter, and whether it helped
  framewright train export gaicd GAICD/ -o data/            # data from published crops
  framewright train sft -o sft.gguf data/                   # then dpo --lora sft.gguf`;

/** `framewright train ...`: adapters for one's own taste. A subcommand is a file beside this one and a line here. */
export function addTrainCommand(program: Command): void {
  const train = program
    .command('train')
    .description('training: data from crops people chose, and adapters from the data')
    .addHelpText('after', HELP);
  addExportCommand(train);
  addPrefsCommand(train);
  addTasteCommand(train);
  addAdapterCommand(train, 'sft');
  addAdapterCommand(train, 'dpo');
}
