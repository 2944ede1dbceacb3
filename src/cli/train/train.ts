import type { Command } from 'commander';
import { addAdapterCommand } from './adapter.js';

const HELP = `
Examples:
  framewright train sft --learning-rate 1e-3 -o sft.gguf export/
  framewright train dpo --lora sft.gguf -o dpo.gguf export/

docs/training.md has the whole way, from photos to a cropped photo.`;

/** `framewright train ...`: adapters for one's own taste. A subcommand is a file beside this one and a line here. */
export function addTrainCommand(program: Command): void {
  const train = program
    .command('train')
    .description('training: data from crops people chose, and adapters from the data')
    .addHelpText('after', HELP);
  addAdapterCommand(train, 'sft');
  addAdapterCommand(train, 'dpo');
}
