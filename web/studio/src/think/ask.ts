// Follows a photo being thought about.
import { ServerError } from '../api.js';
import type { Condition, ThinkEvent } from './trace.js';

export interface ThinkAsked {
  readonly photo: string;
  /** `4:5`; undefined for any shape. */
  readonly aspect: string | undefined;
  readonly conditions: readonly Condition[];
  readonly attention: boolean;
}

/** Each event as it comes. @throws ServerError; whatever the signal's reason is */
export async function* ask(
  { photo, aspect, conditions, attention }: ThinkAsked,
  signal: AbortSignal,
): AsyncGenerator<ThinkEvent, void, undefined> {
  const query = new URLSearchParams(conditions.map((condition) => ['conditions', condition]));
  if (aspect !== undefined) query.set('aspect', aspect);
  if (attention) query.set('attention', 'true');
  const response = await fetch(`/studio/api/think/${encodeURIComponent(photo)}?${query.toString()}`, { signal });
  if (!response.ok || !response.body) {
    const problem = (await response.json().catch(() => undefined)) as { code?: string; detail?: string } | undefined;
    throw new ServerError(problem?.code ?? 'INTERNAL', problem?.detail ?? `The studio answered ${response.status}.`);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
      text = text.slice(end + 2);
      if (name === undefined || data === undefined) continue; // it is still here
      const event = { name, data: JSON.parse(data) as unknown } as ThinkEvent;
      if (event.name === 'problem') throw new ServerError(event.data.code, event.data.detail);
      yield event;
    }
  }
}
