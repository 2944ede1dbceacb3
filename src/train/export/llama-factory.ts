import { cellPxOf, FAMILIES } from '../../../gguf/index.js';
import type { TrainingUse } from './use.js';

/** Files for LLaMA-Factory by their path in the export folder, from which it is run. */
export const LLAMA_FACTORY_FILES = {
  sft: 'llamafactory/sft.yaml',
  dpo: 'llamafactory/dpo.yaml',
  zero2: 'llamafactory/ds_z2.json',
  zero3: 'llamafactory/ds_z3.json',
} as const;

/** What the settings depend on. */
export interface LlamaFactoryOptions extends TrainingUse {
  /** Whether the prompts have words of the system: without, the template would put in its own. */
  readonly hasSystem: boolean;
  /** Whether anything is held out. */
  readonly hasHeldOut: { readonly sft: boolean; readonly dpo: boolean };
}

/**
 * Settings for supervised fine-tuning and then DPO: CROP's (arXiv 2605.12545) LoRA of rank 16 and alpha 32, learning rates
 * 1e-4 and 1e-5, beta 0.2; the rest is what fits one GPU of 24 GB or several.
 */
export function llamaFactoryFiles(options: LlamaFactoryOptions): Readonly<Record<string, string>> {
  const { sft, dpo, zero2, zero3 } = LLAMA_FACTORY_FILES;
  return {
    [sft]: yaml('Supervised fine-tuning: the three stages.', [
      ['model', modelLines(options)],
      ['method', [['stage', 'sft'], ...methodLines()]],
      ['data', dataLines(options, 'crop_sft', options.hasHeldOut.sft)],
      ['output', outputLines('saves/sft')],
      ['training', trainingLines('1.0e-4', '3.0')],
    ]),
    [dpo]: yaml(
      'Direct Preference Optimization on top of it. The adapter of the fine-tuning becomes part of the reference, and a\n# new one is trained: without create_new_adapter the old one would go on being changed, and be its own reference.',
      [
        ['model', [...modelLines(options), ['adapter_name_or_path', 'saves/sft'], ['create_new_adapter', 'true']]],
        ['method', [['stage', 'dpo'], ...methodLines(), ['pref_beta', '0.2'], ['pref_loss', 'sigmoid']]],
        ['data', dataLines(options, 'crop_dpo', options.hasHeldOut.dpo)],
        ['output', outputLines('saves/dpo')],
        ['training', trainingLines('1.0e-5', '1.0')],
      ],
    ),
    [zero2]: deepSpeed(2),
    [zero3]: deepSpeed(3),
  };
}

type Lines = readonly (readonly [key: string, value: string])[];

function modelLines({ family, use }: LlamaFactoryOptions): Lines {
  return [
    ['model_name_or_path', FAMILIES[family].training.exampleModel],
    // The images are frames already: at this bound none is scaled, which would leave the boxes in the text behind.
    ['image_max_pixels', String(use.pixelBudget.max)],
    ['image_min_pixels', String(Math.min(use.pixelBudget.min, cellPxOf(FAMILIES[family]) ** 2))],
  ];
}

function methodLines(): Lines {
  return [
    ['do_train', 'true'],
    ['finetuning_type', 'lora'],
    ['lora_rank', '16'],
    ['lora_alpha', '32'],
    ['lora_target', 'all'],
    ['freeze_vision_tower', 'true'],
    ['freeze_multi_modal_projector', 'true'],
  ];
}

function dataLines({ family, hasSystem }: LlamaFactoryOptions, name: string, hasHeldOut: boolean): Lines {
  return [
    ['dataset_dir', '.'],
    ['dataset', name],
    ...(hasHeldOut ? ([['eval_dataset', `${name}_heldout`]] as const) : []),
    ['template', FAMILIES[family].training.template],
    ...(hasSystem ? [] : ([['default_system', '""']] as const)),
    ['cutoff_len', '4096'],
    ['preprocessing_num_workers', '4'],
  ];
}

function outputLines(folder: string): Lines {
  return [
    ['output_dir', folder],
    ['logging_steps', '10'],
    ['save_steps', '200'],
    ['plot_loss', 'true'],
    ['report_to', 'none'],
  ];
}

function trainingLines(learningRate: string, epochs: string): Lines {
  return [
    ['per_device_train_batch_size', '1'],
    ['per_device_eval_batch_size', '1'],
    ['gradient_accumulation_steps', '16'],
    ['learning_rate', learningRate],
    ['num_train_epochs', epochs],
    ['lr_scheduler_type', 'cosine'],
    ['warmup_ratio', '0.1'],
    ['bf16', 'true'],
    ['ddp_timeout', '180000000'],
  ];
}

function yaml(about: string, parts: readonly (readonly [title: string, lines: Lines])[]): string {
  const body = parts.map(([title, lines]) =>
    [`# ${title}`, ...lines.map(([key, value]) => `${key}: ${value}`)].join('\n'),
  );
  return [
    `# ${about}`,
    '# Made by framewright train export. From this folder: llamafactory-cli train <this file>; docs/training.md has the way.',
    '# On several GPUs uncomment a line: ds_z2 where the model fits each of them, ds_z3 where it does not.',
    `# deepspeed: ${LLAMA_FACTORY_FILES.zero2}`,
    `# deepspeed: ${LLAMA_FACTORY_FILES.zero3}`,
    '',
    `${body.join('\n\n')}\n`,
  ].join('\n');
}

/** ZeRO with everything else left to the trainer: `auto` takes what the YAML says. */
function deepSpeed(stage: 2 | 3): string {
  const config = {
    train_batch_size: 'auto',
    train_micro_batch_size_per_gpu: 'auto',
    gradient_accumulation_steps: 'auto',
    gradient_clipping: 'auto',
    bf16: { enabled: 'auto' },
    zero_optimization:
      stage === 2
        ? { stage, overlap_comm: true, contiguous_gradients: true }
        : { stage, overlap_comm: true, contiguous_gradients: true, stage3_gather_16bit_weights_on_model_save: true },
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
