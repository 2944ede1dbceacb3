// What the whole page knows: the library and what happens to it, as the server tells.
import { batch, computed, signal } from '@preact/signals';
import {
  api,
  type EditHistory,
  type LibraryAnswer,
  type PhotoSummary,
  type RunProgress,
  type StepAnswer,
  type StudioEvents,
} from './api.js';
import { inOrder } from './changes.js';

type Info = Omit<LibraryAnswer, 'photos' | 'run' | 'history'>;

export const info = signal<Info | undefined>(undefined);
export const photos = signal<readonly PhotoSummary[]>([]);
export const run = signal<RunProgress>({ isRunning: false, nTotal: 0, nDone: 0, nFailed: 0, elapsedMs: 0 });
export const history = signal<EditHistory>({});
export const isConnected = signal(false);

export const photosById = computed(() => new Map(photos.value.map((photo) => [photo.id, photo])));

/** For whoever cannot see what has changed, and in a corner for all others. */
export const message = signal<{ readonly text: string; readonly isError: boolean } | undefined>(undefined);

export function tell(text: string): void {
  message.value = { text, isError: false };
}

/** Does what may go wrong; what does is told, and nothing more comes of it. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    message.value = { text: error instanceof Error ? error.message : String(error), isError: true };
    return undefined;
  }
}

export async function load(): Promise<void> {
  const { photos: all, run: progress, history: edits, ...rest } = await api.library();
  batch(() => {
    info.value = rest;
    photos.value = all;
    run.value = progress;
    history.value = edits;
  });
}

/** What the server told of photos and is not shown yet. */
const waiting = new Map<string, PhotoSummary>();

/** Puts changed photos in the place of what they were. */
export function take(changed: readonly PhotoSummary[]): void {
  const byId = new Map(changed.map((photo) => [photo.id, photo]));
  for (const id of byId.keys()) waiting.delete(id);
  photos.value = photos.value.map((photo) => byId.get(photo.id) ?? photo);
}

/** A fast engine has photos done by the hundred a second; they are shown together. */
const SHOWN_EVERY_MS = 120;

/** Listens to the server for as long as the page is open. After every break all is asked for anew. */
export function listen(): void {
  const events = new EventSource('/studio/api/events');
  let timer: ReturnType<typeof setTimeout> | undefined;
  const show = (): void => {
    timer = undefined;
    take([...waiting.values()]);
  };
  const on = <Name extends keyof StudioEvents>(name: Name, act: (data: StudioEvents[Name]) => void): void => {
    events.addEventListener(name, (event) =>
      act(JSON.parse((event as MessageEvent<string>).data) as StudioEvents[Name]),
    );
  };
  on('photos', ({ photos: changed }) => {
    for (const photo of changed) waiting.set(photo.id, photo);
    timer ??= setTimeout(show, SHOWN_EVERY_MS);
  });
  on('run', (progress) => (run.value = progress));
  on('history', (edits) => (history.value = edits));
  on('library', () => void attempt(load));
  events.addEventListener('open', () => {
    isConnected.value = true;
    void attempt(load);
  });
  events.addEventListener('error', () => (isConnected.value = false));
}

export const undo = (): Promise<void> => step(api.undo);
export const redo = (): Promise<void> => step(api.redo);

/** The server knows whether there is one: what the page was told last may be older than the last key. */
async function step(change: () => Promise<StepAnswer>): Promise<void> {
  const answer = await attempt(() => inOrder(change));
  if (!answer) return;
  batch(() => {
    take(answer.photos);
    history.value = answer.history;
  });
}
