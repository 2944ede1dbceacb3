// Asks the server; the types are the server's own.
import type {
  EditRequest,
  LibraryAnswer,
  PhotoAnswer,
  PhotoSummary,
  RunProgress,
  RunRequest,
  SaveAnswer,
  SaveRequest,
  StepAnswer,
  TargetKey,
  TiltAnswer,
} from '../../../src/studio/api.js';

export type * from '../../../src/studio/api.js';

/** What the server says went wrong, in its own words. */
export class ServerError extends Error {
  readonly code: string;

  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

async function ask<T>(method: string, path: string, body?: unknown, more: RequestInit = {}): Promise<T> {
  const init: RequestInit = { method, ...more };
  if (body !== undefined) init.body = body instanceof Blob ? body : JSON.stringify(body);
  let response: Response;
  try {
    response = await fetch(`/studio/api/${path}`, init);
  } catch {
    throw new ServerError('GONE', 'The studio does not answer: is it still running?');
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer as T;
  const problem = answer as { readonly code?: string; readonly detail?: string } | undefined;
  throw new ServerError(problem?.code ?? 'INTERNAL', problem?.detail ?? `The studio answered ${response.status}.`);
}

export const api = {
  library: () => ask<LibraryAnswer>('GET', 'library'),
  photo: (id: string) => ask<PhotoAnswer>('GET', `photos/${id}`),
  tilt: (id: string) => ask<TiltAnswer>('GET', `photos/${id}/tilt`),
  look: () => ask<{ nPhotos: number }>('POST', 'look'),
  add: (file: File) => ask<PhotoSummary>('POST', `photos?name=${encodeURIComponent(file.name)}`, file),
  run: (request: RunRequest) => ask<RunProgress>('POST', 'runs', request),
  cancel: () => ask<RunProgress>('DELETE', 'runs'),
  /** Outlives the page it is sent from. */
  edit: (id: string, request: EditRequest) =>
    ask<PhotoSummary>('POST', `photos/${id}/crops`, request, { keepalive: true }),
  undo: () => ask<StepAnswer>('POST', 'undo'),
  redo: () => ask<StepAnswer>('POST', 'redo'),
  save: (request: SaveRequest) => ask<SaveAnswer>('POST', 'save', request),
};

export function pictureUrl({ id, version }: Pick<PhotoSummary, 'id' | 'version'>, side: 320 | 800 | 1600): string {
  return `/studio/api/photos/${id}/picture?side=${side}&v=${version}`;
}

export function cropUrl(id: string, target: TargetKey): string {
  return `/studio/api/photos/${id}/crop?target=${encodeURIComponent(target)}`;
}
