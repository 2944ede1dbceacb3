// What the page of one photo being thought about knows.
import { batch, signal } from '@preact/signals';
import { ask, type ThinkAsked } from './ask.js';
import { forget, taken, type ThinkEvent, type Traces } from './trace.js';

/** The article's steps, as the page shows them. */
export const STEPS = ['photo', 'analysis', 'enhanced', 'proposal', 'decision', 'crop'] as const;
export type Step = (typeof STEPS)[number];

export const step = signal<Step>('photo');
export const traces = signal<Traces>({});
export const isThinking = signal(false);
export const waiting = signal(0);
export const failure = signal<string | undefined>(undefined);

/** A fast model writes hundreds of tokens a second; they are shown together. */
const SHOWN_EVERY_MS = 50;

let stop: AbortController | undefined;
/** The steps follow the model until somebody chooses one. */
let follows = true;

export function choose(chosen: Step): void {
  follows = false;
  step.value = chosen;
}

export function end(): void {
  stop?.abort();
}

/** Lets go of what is shown. */
export function clear(): void {
  end();
  forget(traces.value);
  batch(() => {
    traces.value = {};
    failure.value = undefined;
    step.value = 'photo';
  });
}

/** Thinks about a photo; what was thought about before ends. */
export async function think(asked: ThinkAsked): Promise<void> {
  clear();
  follows = true;
  const own = new AbortController();
  stop = own;
  isThinking.value = true;
  let told: ThinkEvent[] = [];
  const show = (): void => {
    const events = told;
    told = [];
    batch(() => {
      traces.value = events.reduce(taken, traces.value);
      for (const event of events) follow(event);
    });
  };
  const timer = setInterval(show, SHOWN_EVERY_MS);
  try {
    for await (const event of ask(asked, own.signal)) told.push(event);
  } catch (error) {
    if (!own.signal.aborted) failure.value = error instanceof Error ? error.message : String(error);
  } finally {
    clearInterval(timer);
    if (stop === own) {
      show();
      isThinking.value = false;
    }
  }
}

const STEP_OF_STAGE = { analyse: 'analysis', propose: 'proposal', decide: 'decision' } as const;

function follow(event: ThinkEvent): void {
  if (event.name === 'waiting') waiting.value = event.data.waiting;
  if (!follows) return;
  if (event.name === 'stage') step.value = STEP_OF_STAGE[event.data.stage];
  if (event.name === 'image') step.value = event.data.stage === 'analyse' ? 'photo' : 'enhanced';
  if (event.name === 'token') step.value = STEP_OF_STAGE[event.data.stage];
  if (event.name === 'result') step.value = 'crop';
}
