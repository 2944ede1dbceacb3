import { Option, type Command } from 'commander';
import { defined } from '../../base/defined.js';
import { FAMILIES, type FamilyName } from '../../../gguf/index.js';
import { trainingUse, type TrainingUse } from '../../train/export/use.js';
import { parseWhole } from '../options.js';

/** Options that say which model data is made for. */
export interface MadeForFlags {
  readonly for?: string;
  readonly family?: FamilyName;
  readonly imageTokens?: number;
}

export function addMadeForFlags(command: Command): Command {
  return command
    .option('--for <name|file>', 'the model to be trained: its prompts and frames (default: those of a Qwen-VL)')
    .addOption(
      new Option('--family <name>', 'its family, where the model is not at hand (default: qwen2vl)').choices(
        Object.keys(FAMILIES),
      ),
    )
    .option('--image-tokens <n>', 'image tokens a photo is seen with at most', parseWhole('image-tokens', 16, 16384));
}

export function madeFor({ for: model, family, imageTokens }: MadeForFlags): Promise<TrainingUse> {
  return trainingUse(defined({ model, family, imageTokens }));
}
