import { defined } from '../base/defined.js';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError } from '../base/errors.js';
import { cacheFolder } from './cache-folder.js';

/** Below this a file is hashed each time: quicker than asking the cache (about 40 ms at 1.5 GB/s). */
const CACHED_FROM_BYTES = 64 * 1024 * 1024;

/**
 * sha256 of a file, hex. For large files it is remembered under the user's cache folder, keyed by path, size and
 * modification time, since hashing a 5 GB model takes longer than loading it.
 */
export async function fileSha256(file: string, signal?: AbortSignal): Promise<string> {
  const remembered = await rememberedAt(file);
  if (remembered === undefined) return hashFile(file, signal);
  const known = await readFile(remembered, 'utf8').catch(() => '');
  if (/^[0-9a-f]{64}$/.test(known)) return known;
  return hashAndRemember(file, remembered, signal);
}

/** The same from the file's own bytes, whatever is remembered, which is put right. */
export async function freshFileSha256(file: string, signal?: AbortSignal): Promise<string> {
  const remembered = await rememberedAt(file);
  return remembered === undefined ? hashFile(file, signal) : hashAndRemember(file, remembered, signal);
}

/** Undefined for a file too small to be remembered. */
async function rememberedAt(file: string): Promise<string | undefined> {
  const found = await stat(file);
  if (!found.isFile()) throw new FramewrightError('INPUT_UNREADABLE', `${file} is no file: it cannot be hashed`);
  const { size, mtimeMs } = found;
  if (size < CACHED_FROM_BYTES) return undefined;
  const key = createHash('sha256')
    .update(JSON.stringify([path.resolve(file), size, mtimeMs]))
    .digest('hex');
  return path.join(cacheFolder(), 'sha256', key);
}

async function hashAndRemember(file: string, remembered: string, signal?: AbortSignal): Promise<string> {
  const hash = await hashFile(file, signal);
  await remember(remembered, hash).catch(() => undefined); // a read-only home only means hashing again
  return hash;
}

async function hashFile(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20, ...defined({ signal }) })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}

async function remember(file: string, hash: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const temporary = `${file}.${String(process.pid)}`;
  await writeFile(temporary, hash);
  await rename(temporary, file);
}
