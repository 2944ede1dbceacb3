import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll } from 'vitest';
import { openCropper, startStudio, type Cropper, type RunningServer, type StudioOptions } from '../../src/index.js';
import type { LibraryAnswer, PhotoSummary, RunProgress } from '../../src/studio/api.js';
import { ask, type AskOptions } from '../server/serving.js';
import { examplePhoto } from '../support/photos.js';

/** Names of the photos in a folder of `makeLibrary`. */
export const NAMES = ['dogs.jpg', 'mountains.jpg', 'pagoda.jpg'] as const;

/** A folder of three small photos, and one more below it. */
export async function makeLibrary(): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'framewright-studio-test-'));
  mkdirSync(path.join(folder, 'below'));
  for (const name of ['dogs', 'mountains', 'pagoda'] as const) {
    await sharp(examplePhoto(name))
      .resize(480, 480, { fit: 'inside' })
      .toFile(path.join(folder, `${name}.jpg`));
  }
  copyFileSync(path.join(folder, 'dogs.jpg'), path.join(folder, 'below', 'dogs.jpg'));
  return folder;
}

export interface Opened {
  readonly folder: string;
  readonly cropper: Cropper;
  readonly server: RunningServer;
  readonly at: (...names: readonly string[]) => string;
  readonly ask: (path: string, request?: AskOptions) => Promise<Response>;
  /** Asks with JSON and gives back JSON; `status` beside it where it is no success. */
  readonly json: <T>(method: string, path: string, body?: unknown) => Promise<T>;
  /** Starts the same studio again, after `close`. */
  readonly restart: () => Promise<void>;
}

/** Call at the top of a file: a studio of `makeLibrary`, by the engine `rules` unless told otherwise. */
export function useStudio(options: Partial<StudioOptions> & { readonly engine?: 'rules' | 'vlm' } = {}): () => Opened {
  let opened: Opened | undefined;
  beforeAll(async () => {
    const { engine = 'rules', ...rest } = options;
    const folder = await makeLibrary();
    const cropper = await openCropper({ engine, ...(engine === 'vlm' ? { gpu: 'cpu', threads: 1 } : {}) });
    const start = (): Promise<RunningServer> => startStudio({ folder, port: 0, cropper, ...rest });
    let server = await start();
    opened = {
      folder,
      cropper,
      get server() {
        return server;
      },
      at: (...names) => path.join(folder, ...names),
      ask: (where, request) => ask(server, where, request),
      json: (method, where, body) => askJson(server, method, where, body),
      restart: async () => {
        await server.close();
        server = await start();
      },
    };
  });
  afterAll(async () => {
    await opened?.server.close({ now: true });
    await opened?.cropper.dispose();
    if (opened) rmSync(opened.folder, { recursive: true });
  });
  return () => {
    if (!opened) throw new Error('the studio is only there while tests run');
    return opened;
  };
}

export async function askJson<T>(
  server: Pick<RunningServer, 'url' | 'token'>,
  method: string,
  where: string,
  body?: unknown,
): Promise<T> {
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const response = await ask(server, `/studio/api/${where}`, { method, body: bytes });
  return (await response.json()) as T;
}

type Asking = Pick<Opened, 'json'>;

export async function photoCalled({ json }: Asking, name: string): Promise<PhotoSummary> {
  const { photos } = await json<LibraryAnswer>('GET', 'library');
  const photo = photos.find((each) => each.name === name);
  if (!photo) throw new Error(`there is no ${name}`);
  return photo;
}

/** Crops by the engine, and waits until it is done. */
export async function cropAll(
  { json }: Asking,
  names: readonly string[],
  targets: readonly string[],
  more: object = {},
): Promise<void> {
  const { photos } = await json<LibraryAnswer>('GET', 'library');
  const ids = photos.filter(({ name }) => names.includes(name)).map(({ id }) => id);
  let run = await json<RunProgress>('POST', 'runs', { photos: ids, targets, ...more });
  while (run.isRunning) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    ({ run } = await json<LibraryAnswer>('GET', 'library'));
  }
}
