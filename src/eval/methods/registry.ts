import { rules } from '../../engines/rules/index.js';
import { attentionEngine, smartcropEngine } from '../../engines/saliency.js';
import { FramewrightError } from '../../base/errors.js';
import type { Dataset } from '../datasets/types.js';
import { TASK_OF_KIND } from '../prediction.js';
import { engineMethod } from './engine.js';
import { centreMethod, fullMethod } from './floors.js';
import { positionPriorMethod } from './position-prior.js';
import type { Method } from './types.js';

export interface MethodContext {
  readonly dataset: Dataset;
  readonly signal?: AbortSignal;
}

/** Makes the methods one engine name stands for; some open a model, whose `close` is called after the run. */
export type MethodFactory = (context: MethodContext) => readonly Method[] | Promise<readonly Method[]>;

/** The engines that need no model, by the name the command line knows them by. */
export const MODEL_FREE_METHODS = {
  full: () => [fullMethod()],
  centre: () => [centreMethod()],
  saliency: () => [
    engineMethod({ name: 'smartcrop', key: 'smartcrop 2.0.5, minScale 0.9', engine: smartcropEngine }),
    engineMethod({ name: 'attention', key: 'libvips attention, minScale 0.9', engine: attentionEngine }),
  ],
  rules: () => [engineMethod({ name: 'rules', key: `rules ${RULES_VERSION}`, engine: rules, namesElements: true })],
  prior: ({ dataset }) => {
    if (dataset.kind === 'ranking') return [positionPriorMethod(dataset)];
    throw new FramewrightError('USAGE', `the prior engine ranks rated crops; ${dataset.name} has none`);
  },
} as const satisfies Record<string, MethodFactory>;

/** Part of the key under which the rules' answers are stored: bumped when an answer changes. */
const RULES_VERSION = 2;

/**
 * The methods of the engines named. Where `names` was not chosen by the user, engines that cannot do what the data set
 * asks are left out instead of refused.
 * @throws FramewrightError `USAGE` for an unknown name.
 */
export async function makeMethods(
  names: readonly string[],
  factories: Readonly<Record<string, MethodFactory>>,
  context: MethodContext,
  { isChosen }: { readonly isChosen: boolean },
): Promise<Method[]> {
  const methods: Method[] = [];
  try {
    for (const name of names) {
      const factory = Object.hasOwn(factories, name) ? factories[name] : undefined;
      if (!factory) {
        throw new FramewrightError(
          'USAGE',
          `no engine is called ${name}; there are: ${Object.keys(factories).join(', ')}`,
        );
      }
      methods.push(...(await factory(context)));
    }
  } catch (error) {
    await closeMethods(methods);
    throw error;
  }
  return isChosen ? methods : methods.filter((method) => method[TASK_OF_KIND[context.dataset.kind]] !== undefined);
}

export async function closeMethods(methods: readonly Method[]): Promise<void> {
  for (const method of methods) await method.close?.();
}
