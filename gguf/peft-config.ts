import { GgufError } from './errors.js';
import { compilePattern, matchesWhole, type LinearPattern } from './linear-pattern.js';
import { readJsonObject } from './json-object.js';

/** PEFT writes some kilobytes. */
const MAX_BYTES = 4 * 2 ** 20;
const MAX_PATTERNS = 10_000;
/** Of all patterns together; one for a matrix has some 50. */
const MAX_STATES = 1_000_000;
/** Of all patterns with all modules: an adapter of 28 layers with a pattern for each of its 196 matrices takes 1.5 million. */
const MAX_STEPS = 20_000_000;

interface PeftConfig {
  readonly r: number;
  readonly lora_alpha: number;
  readonly use_rslora: boolean;
  readonly rank_pattern: PeftPatterns;
  readonly alpha_pattern: PeftPatterns;
}

/**
 * The adapter_config.json of an adapter that is nothing but low-rank changes of a base as it is.
 *
 * @throws GgufError `UNSUPPORTED`, `INVALID`, `MALFORMED`, `IO`
 */
export async function readPeftConfig(path: string): Promise<PeftConfig> {
  const parsed = await readJsonObject(path, MAX_BYTES);
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

function patterns(path: string, key: string, config: Readonly<Record<string, unknown>>): PeftPatterns {
  const value: unknown = config[key] ?? {};
  if (typeof value !== 'object' || value === null || !Object.values(value).every((each) => Number.isFinite(each)))
    throw new GgufError('INVALID', `${path}: ${key} must be an object of numbers`);
  return new PeftPatterns(`${path}: ${key}`, Object.entries(value as Readonly<Record<string, number>>));
}

/**
 * Numbers by pattern, as PEFT matches (get_pattern_key): an expression for a module's whole name, or for its end after a
 * dot. Whatever the patterns, matching takes bounded time.
 */
export class PeftPatterns {
  readonly #where: string;
  readonly #patterns: readonly { readonly pattern: LinearPattern; readonly value: number }[];
  #nStates = 0;
  #steps = 0;

  /** @throws GgufError `MALFORMED` for what is no pattern, `UNSUPPORTED` for more than are taken */
  constructor(where: string, entries: readonly (readonly [pattern: string, value: number])[]) {
    this.#where = where;
    if (entries.length > MAX_PATTERNS)
      throw new GgufError('UNSUPPORTED', `${where} has more than ${MAX_PATTERNS} patterns`);
    this.#patterns = entries.map(([source, value]) => ({ pattern: this.#compiled(source), value }));
  }

  /**
   * The number of the first pattern that the module matches.
   * @throws GgufError `UNSUPPORTED` for patterns that take too long
   */
  valueOf(module: string): number | undefined {
    const spend = (steps: number): void => {
      this.#steps += steps;
      if (this.#steps > MAX_STEPS) throw new GgufError('UNSUPPORTED', `${this.#where}: matching it takes too long`);
    };
    return this.#patterns.find(({ pattern }) => matchesWhole(pattern, module, spend))?.value;
  }

  #compiled(source: string): LinearPattern {
    try {
      const pattern = compilePattern(`(?:.*\\.)?(?:${source})`);
      this.#nStates += pattern.states.length;
      if (this.#nStates <= MAX_STATES) return pattern;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new GgufError('MALFORMED', `${this.#where}: "${source.slice(0, 100)}" is no pattern: ${error.message}`);
    }
    throw new GgufError('UNSUPPORTED', `${this.#where}: its patterns together repeat too much`);
  }
}
