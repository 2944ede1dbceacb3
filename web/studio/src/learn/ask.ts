// Asks the server what the page that explains shows.
import type { EngineAnswer, ExamplePhoto, FiguresAnswer } from '../../../../src/studio/learn/api.js';
import { ServerError } from '../api.js';

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`/studio/api/${path}`);
  const answer = (await response.json().catch(() => undefined)) as unknown;
  if (response.ok) return answer as T;
  const problem = answer as { readonly code?: string; readonly detail?: string } | undefined;
  throw new ServerError(problem?.code ?? 'INTERNAL', problem?.detail ?? `The studio answered ${response.status}.`);
}

export const learn = {
  examples: () => get<ExamplePhoto[]>('examples'),
  figures: () => get<FiguresAnswer>('learn'),
  crop: (engine: string, photo: string, aspect: string | undefined) => {
    const query = new URLSearchParams({ engine, ...(aspect === undefined ? {} : { aspect }) });
    return get<EngineAnswer>(`learn/${encodeURIComponent(photo)}?${query.toString()}`);
  },
};
