import { readFile } from 'node:fs/promises';
import { GgufError } from './errors.js';
import { namingFile } from './open-file.js';

interface PeftConfig {
  readonly r: number;
  readonly lora_alpha: number;
  readonly use_rslora: boolean;
  readonly rank_pattern: Readonly<Record<string, number>>;
  readonly alpha_pattern: Readonly<Record<string, number>>;
}

/**
 * The adapter_config.json of an adapter that is nothing but low-rank changes of a base as it is.
 *
 * @throws GgufError `UNSUPPORTED`, `INVALID`, `MALFORMED`, `IO`
 */
export async function readPeftConfig(path: string): Promise<PeftConfig> {
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof SyntaxError) throw new GgufError('MALFORMED', `${path} is no JSON: ${error.message}`);
    throw namingFile(path, error);
  }
  refuseOtherAdapters(parsed, (why) => {
    throw new GgufError('UNSUPPORTED', `${path}: ${why}`);
  });
  const { r, lora_alpha: alpha } = parsed;
  if (typeof r !== 'number' || !Number.isFinite(alpha) || !(r > 0))
    throw new GgufError('INVALID', `${path}: r and lora_alpha must be numbers`);
  return {
    r,
    lora_alpha: alpha as number,
    use_rslora: parsed.use_rslora === true,
    rank_pattern: patterns(path, 'rank_pattern', parsed),
    alpha_pattern: patterns(path, 'alpha_pattern', parsed),
  };
}

/** Initialisations that take something out of the base, which only the base they leave gets back (peft/tuners/lora). */
const CHANGES_BASE = /^(?:pissa|olora|corda|lora_ga|loftq)/i;

/** What makes an adapter more, or other, than low-rank changes of the base's matrices. */
function refuseOtherAdapters(parsed: Readonly<Record<string, unknown>>, refuse: (why: string) => never): void {
  if (parsed.peft_type !== undefined && parsed.peft_type !== 'LORA')
    refuse('only adapters of peft_type LORA are taken');
  if (parsed.use_dora === true) refuse('DoRA has no place in a GGUF adapter; train with use_dora: false');
  if (parsed.fan_in_fan_out === true) refuse('fan_in_fan_out: true transposes the base, which Qwen does not');
  if (parsed.lora_bias === true || (parsed.bias ?? 'none') !== 'none') refuse('trained biases are not taken over');
  if (Array.isArray(parsed.modules_to_save) && parsed.modules_to_save.length > 0)
    refuse(
      `modules_to_save (${parsed.modules_to_save.join(', ')}) are whole modules, not low-rank ones; train without`,
    );
  const init = parsed.init_lora_weights;
  if (typeof init === 'string' && CHANGES_BASE.test(init)) {
    const remedy = /^loftq/i.test(init)
      ? 'train with another initialisation, or merge it with PEFT'
      : 'save it with path_initial_model_for_weight_conversion';
    refuse(`init_lora_weights: ${init} changes the base, and the adapter fits no other; ${remedy}`);
  }
  if (parsed.use_qalora === true) refuse('QALoRA pools the inputs of its matrices; train with use_qalora: false');
  for (const [key, what] of Object.entries(BEYOND_MATRICES))
    if (isFilled(parsed[key])) refuse(`${key}: ${what}; train without`);
}

const BEYOND_MATRICES = {
  layer_replication: 'a GGUF adapter cannot repeat layers',
  target_parameters: 'only the matrices of modules are taken over',
  trainable_token_indices: 'trained embeddings are not taken over',
  alora_invocation_tokens: 'an activated LoRA is off until these tokens come, which they never do',
} as const;

function isFilled(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

function patterns(path: string, key: string, config: Record<string, unknown>): Readonly<Record<string, number>> {
  const value: unknown = config[key] ?? {};
  if (typeof value !== 'object' || value === null || !Object.values(value).every((each) => Number.isFinite(each)))
    throw new GgufError('INVALID', `${path}: ${key} must be an object of numbers`);
  return value as Readonly<Record<string, number>>;
}

/** As PEFT matches (get_pattern_key): an expression for a module's whole name, or for its end after a dot. */
export function patternValue(all: Readonly<Record<string, number>>, module: string): number | undefined {
  return Object.entries(all).find(([pattern]) => {
    try {
      return new RegExp(`^(?:.*\\.)?(?:${pattern})$`).test(module);
    } catch {
      throw new GgufError('MALFORMED', `adapter_config.json: "${pattern}" is no regular expression`);
    }
  })?.[1];
}
