// What has been told of a photo being thought about, as the page shows it.
import type { Condition, ThinkEvents, ThoughtStage, ToldChoice } from '../../../../src/studio/think/api.js';

export type { Condition, ThinkEvents, ThoughtStage };
export type ThinkEvent = {
  [Name in keyof ThinkEvents]: { readonly name: Name; readonly data: ThinkEvents[Name] };
}[keyof ThinkEvents];

export interface Token {
  readonly text: string;
  readonly choice?: ToldChoice;
}

export interface ShownImage {
  readonly url: string;
  readonly isEnhanced: boolean;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** What was put to the model in one stage, and its answer. */
export interface StageTrace {
  readonly image?: ShownImage;
  readonly prompt: string;
  readonly tokens: readonly Token[];
  readonly attention?: ThinkEvents['attention'];
}

/** One way through the stages. */
export interface Trace {
  readonly stages: Readonly<Partial<Record<ThoughtStage, StageTrace>>>;
  /** The one that is going on. */
  readonly at?: ThoughtStage;
  readonly drawn?: ThinkEvents['elements'];
  readonly candidates?: ThinkEvents['candidates'];
  readonly decision?: ThinkEvents['decision'];
  readonly result?: ThinkEvents['result']['result'];
}

export type Traces = Readonly<Partial<Record<Condition, Trace>>>;

const EMPTY_STAGE: StageTrace = { prompt: '', tokens: [] };
/** Marks of the conversation's turns, which are the same whatever is asked. */
const TURN_MARKS = /<\|im_start\|>(system|user|assistant)\n?|<\|im_end\|>\n?|<\|vision_(start|end)\|>/g;

/** The traces with one more event in them. */
export function taken(traces: Traces, event: ThinkEvent): Traces {
  if (!('condition' in event.data)) return traces;
  const { condition } = event.data;
  return { ...traces, [condition]: withEvent(traces[condition] ?? { stages: {} }, event) };
}

function withEvent(trace: Trace, event: ThinkEvent): Trace {
  const inStage = (stage: ThoughtStage, change: (before: StageTrace) => StageTrace): Trace => ({
    ...trace,
    stages: { ...trace.stages, [stage]: change(trace.stages[stage] ?? EMPTY_STAGE) },
  });
  switch (event.name) {
    case 'stage':
      return { ...trace, at: event.data.stage };
    case 'image': {
      const { stage, webp, isEnhanced, widthPx, heightPx } = event.data;
      return inStage(stage, (before) => ({ ...before, image: { url: urlOf(webp), isEnhanced, widthPx, heightPx } }));
    }
    case 'prompt': {
      const text = event.data.text.replace(TURN_MARKS, '');
      return inStage(event.data.stage, (before) => ({ ...before, prompt: before.prompt + text }));
    }
    case 'token': {
      const { stage, text, choice } = event.data;
      return inStage(stage, (before) => ({
        ...before,
        tokens: [...before.tokens, { text: text.replace(TURN_MARKS, '⏎'), ...(choice ? { choice } : {}) }],
      }));
    }
    case 'attention':
      return inStage(event.data.stage, (before) => ({ ...before, attention: event.data }));
    case 'elements':
      return { ...trace, drawn: event.data };
    case 'candidates':
      return { ...trace, candidates: event.data };
    case 'decision':
      return { ...trace, decision: event.data };
    case 'result': {
      const { at: _, ...rest } = trace;
      return { ...rest, result: event.data.result };
    }
    default:
      return trace;
  }
}

/** Pictures that nobody looks at any more give their memory back. */
export function forget(traces: Traces): void {
  for (const { stages } of Object.values(traces)) {
    for (const { image } of Object.values(stages)) if (image) URL.revokeObjectURL(image.url);
  }
}

function urlOf(webp: string): string {
  const bytes = Uint8Array.from(atob(webp), (letter) => letter.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: 'image/webp' }));
}
