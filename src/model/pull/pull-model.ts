import { defined } from '../../base/defined.js';
import type { StoredFile } from '../store.js';
import { requireCatalogModel } from '../resolve.js';
import { filesOf, placesOf } from '../store.js';
import { download, type Downloaded, type DownloadOptions } from './download.js';

export interface PullOptions extends Pick<
  DownloadOptions,
  'connections' | 'signal' | 'retryMs' | 'idleMs' | 'paceMs' | 'onRetry'
> {
  /** Bytes of all files so far and in all, as well as they are known. */
  readonly onProgress?: (file: string, receivedBytes: number, totalBytes: number) => void;
  readonly onWait?: (held: string) => void;
}

const HUGGING_FACE = 'https://huggingface.co';

/**
 * Downloads what is missing of a model of the catalogue, file by file.
 *
 * @throws FramewrightError MODEL_NOT_FOUND, DOWNLOAD, OUTPUT_WRITE; the signal's reason
 */
export async function pullModel(model: string, options: PullOptions = {}): Promise<readonly Downloaded[]> {
  const { entry, variant } = await requireCatalogModel(model);
  const results: Downloaded[] = [];
  for (const file of filesOf(placesOf(entry, variant))) {
    const result = await pullFile(file, options);
    if (result) results.push(result);
  }
  return results;
}

/** Undefined for a file that is on this machine anyway. */
async function pullFile({ file, path }: StoredFile, options: PullOptions): Promise<Downloaded | undefined> {
  if (!('url' in file.from)) return undefined;
  const { onProgress, onWait, ...rest } = options;
  const address = mirrored(file.from.url);
  return download(address, path, {
    ...rest,
    token: tokenFor(address),
    ...defined({ bytes: file.bytes, sha256: file.sha256 }),
    ...(onProgress ? { onProgress: (received, total) => onProgress(file.name, received, total) } : {}),
    ...defined({ onWait }),
  });
}

/** The address on the mirror that `FRAMEWRIGHT_MODEL_BASE_URL` (or `HF_ENDPOINT`) names instead of Hugging Face. */
export function mirrored(url: string): string {
  const base = mirror();
  if (base === undefined || !url.startsWith(`${HUGGING_FACE}/`)) return url;
  return `${base}${url.slice(HUGGING_FACE.length)}`;
}

/**
 * The token an address may see: any folder can hold a catalogue that names any host. `HF_TOKEN` is for Hugging Face and
 * the mirror the user set, `FRAMEWRIGHT_MODEL_TOKEN` for them and every other https address.
 */
export function tokenFor(address: string): string | undefined {
  const { href, origin, protocol } = new URL(address);
  const base = mirror();
  const isMirror =
    base !== undefined && URL.canParse(base) && href.startsWith(`${new URL(base).href.replace(/\/+$/, '')}/`);
  const names = [
    ...(isMirror || protocol === 'https:' ? ['FRAMEWRIGHT_MODEL_TOKEN'] : []),
    ...(isMirror || origin === HUGGING_FACE ? ['HF_TOKEN'] : []),
  ];
  return fromEnvironment(...names);
}

function mirror(): string | undefined {
  return fromEnvironment('FRAMEWRIGHT_MODEL_BASE_URL', 'HF_ENDPOINT')?.replace(/\/+$/, '');
}

/** The first of these variables that is set and not empty. */
function fromEnvironment(...names: readonly string[]): string | undefined {
  return names.map((name) => process.env[name]).find((value) => value !== undefined && value !== '');
}
