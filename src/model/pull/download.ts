import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, stat, statfs, writeFile, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { bytesText } from '../../base/bytes-text.js';
import { defined } from '../../base/defined.js';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { lockFileInTurn } from '../../files/file-lock.js';
import { makeFolder } from '../../files/make-folder.js';
import { hashPath, partPath } from '../store.js';
import { fetchPieces, onDisk, streamWhole } from './fetch-pieces.js';
import { dropDownload, dropJournal, readJournal, writeJournal, type Journal } from './journal.js';
import { FileChanged, probe, type Probed, type Server } from './server.js';
import { mergeRanges, missingPieces, rangesBytes, type Range } from './ranges.js';

export interface DownloadOptions {
  /** Connections at once. Default 4. */
  readonly connections?: number;
  /** What the file must be; else the server's word is taken and noted. */
  readonly bytes?: number;
  readonly sha256?: string;
  /** Sent to the address's own host. */
  readonly token?: string | undefined;
  /** Bytes here and in all; the total is 0 where the server does not say. */
  readonly onProgress?: (receivedBytes: number, totalBytes: number) => void;
  /** Another process is downloading the same file. */
  readonly onWait?: (held: string) => void;
  /** Told in words when the server has failed and is asked again. */
  readonly onRetry?: (what: string) => void;
  readonly signal?: AbortSignal;
  /** Milliseconds before the first retry; doubles up to 30 s. Default 500. */
  readonly retryMs?: number;
  /** Milliseconds without a byte after which a connection is given up. Default 30,000. */
  readonly idleMs?: number;
  /** Milliseconds over which a connection must bring 512 bytes a second, or the download ends. Default 30,000. */
  readonly paceMs?: number;
}

export interface Downloaded {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** False where it was there already. */
  readonly isNew: boolean;
}

const PIECE_BYTES = 8 * 2 ** 20;
const MOST_CHANGES = 3;
/** Left free on the disk. */
const DISK_RESERVE_BYTES = 64 * 2 ** 20;

/**
 * Brings a file from a server to its place. It appears there whole and checked, or not at all; what came before an
 * interruption is kept beside it and used by the next call.
 *
 * @throws FramewrightError DOWNLOAD, OUTPUT_WRITE (no room, no permission); the signal's reason
 */
export async function download(url: string, place: string, options: DownloadOptions = {}): Promise<Downloaded> {
  try {
    await makeFolder(path.dirname(place));
    await using _lock = await lockFileInTurn(`${place}.lock`, place, options);
    return await downloadLocked(url, place, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof FramewrightError) throw error;
    const code = error instanceof Error && 'syscall' in error && 'path' in error ? 'OUTPUT_WRITE' : 'DOWNLOAD';
    throw new FramewrightError(code, `cannot download ${url} to ${place}: ${messageOf(error)}`, { cause: error });
  }
}

async function downloadLocked(url: string, place: string, options: DownloadOptions): Promise<Downloaded> {
  const { sha256: expected, signal } = options;
  const there = await stat(place).catch(() => undefined);
  if (there && (options.bytes === undefined || there.size === options.bytes)) {
    const sha256 = await hashOf(place, signal);
    if (expected === undefined || sha256 === expected) return { path: place, bytes: there.size, sha256, isNew: false };
  }
  const part = partPath(place);
  const server: Server = {
    url,
    token: options.token,
    retryMs: options.retryMs ?? 500,
    idleMs: options.idleMs ?? 30_000,
    paceMs: options.paceMs ?? 30_000,
    signal,
    ...defined({ onRetry: options.onRetry }),
  };
  const probed = await fetchAll(server, place, part, options);
  const sha256 = await hashOf(part, signal);
  const wanted = expected ?? probed.sha256;
  if (wanted !== undefined && sha256 !== wanted) {
    await dropDownload(part);
    throw new FramewrightError(
      'DOWNLOAD',
      `${url} came with sha256 ${sha256} instead of ${wanted}; nothing of it was kept: try again, or another mirror`,
    );
  }
  await writeFile(hashPath(place), `${sha256}  ${path.basename(place)}\n`);
  await rename(part, place);
  await dropJournal(part);
  return { path: place, bytes: (await stat(place)).size, sha256, isNew: true };
}

/** Everything into the part file, however often the server's file is exchanged for another meanwhile. */
async function fetchAll(server: Server, place: string, part: string, options: DownloadOptions): Promise<Probed> {
  for (let changes = 0; ; changes++) {
    const probed = await probe(server);
    requireSize(probed, options.bytes, server.url);
    try {
      await fetchInto(part, place, probed, server, options);
      return probed;
    } catch (error) {
      if (!(error instanceof FileChanged)) throw error;
      await dropDownload(part);
      if (changes + 1 >= MOST_CHANGES)
        throw new FramewrightError('DOWNLOAD', `${server.url} changes while it is downloaded; try again later`);
    }
  }
}

async function fetchInto(
  part: string,
  place: string,
  probed: Probed,
  server: Server,
  { connections = 4, bytes = 0, onProgress, signal }: DownloadOptions,
): Promise<void> {
  const { totalBytes, validator, takesRanges } = probed;
  const resumable = takesRanges && totalBytes > 0;
  const journal = resumable ? await usableJournal(part, server.url, totalBytes, validator) : undefined;
  if (!journal) await dropDownload(part);
  const knownBytes = totalBytes > 0 ? totalBytes : bytes;
  const folder = path.dirname(place);
  await requireRoom(folder, knownBytes - rangesBytes(journal?.done ?? []));
  const file = await open(part, journal ? 'r+' : 'w');
  try {
    if (!resumable) {
      await streamWhole(file, knownBytes, server, {
        onReceived: (received) => onProgress?.(received, knownBytes),
        requireRoom: () => requireRoom(folder, 0),
      });
      return;
    }
    await onDisk(() => file.truncate(totalBytes));
    const progress = keepJournal(
      part,
      file,
      { url: server.url, totalBytes, validator, done: journal?.done ?? [] },
      onProgress,
    );
    try {
      const pieces = missingPieces(journal?.done ?? [], totalBytes, PIECE_BYTES);
      await fetchPieces(file, pieces, probed, server, { connections, onReceived: progress.add });
    } finally {
      await progress.save();
    }
    signal?.throwIfAborted();
    await onDisk(() => file.sync());
  } finally {
    await file.close();
  }
}

async function usableJournal(
  part: string,
  url: string,
  totalBytes: number,
  validator: string,
): Promise<Journal | undefined> {
  const journal = await readJournal(part);
  const there = await stat(part).catch(() => undefined);
  const isSame =
    journal?.url === url && journal.totalBytes === totalBytes && journal.validator === validator && validator !== '';
  return isSame && there?.size === totalBytes ? journal : undefined;
}

/** Notes what has come, every 32 MiB and at the end: only what is on the disk is noted. */
function keepJournal(
  part: string,
  file: FileHandle,
  journal: Journal,
  onProgress: DownloadOptions['onProgress'],
): { add: (range: Range) => void; save: () => Promise<void> } {
  let done: readonly Range[] = journal.done;
  let received = rangesBytes(done);
  let unsaved = 0;
  let saving = Promise.resolve();
  const save = async (): Promise<void> => {
    const noted = done;
    unsaved = 0;
    await onDisk(async () => {
      await file.datasync();
      await writeJournal(part, { ...journal, done: noted });
    });
  };
  onProgress?.(received, journal.totalBytes);
  return {
    add: (range) => {
      done = mergeRanges([...done, range]);
      received += range[1] - range[0];
      unsaved += range[1] - range[0];
      onProgress?.(received, journal.totalBytes);
      if (unsaved >= 32 * 2 ** 20) saving = saving.then(save).catch(() => undefined);
    },
    save: async () => {
      await saving;
      await save();
    },
  };
}

function requireSize({ totalBytes }: Probed, bytes: number | undefined, url: string): void {
  if (bytes === undefined || totalBytes === 0 || totalBytes === bytes) return;
  throw new FramewrightError(
    'DOWNLOAD',
    `${url} is said to have ${totalBytes} bytes, and the model's file has ${bytes}: it is another file; use another mirror`,
  );
}

async function requireRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize - DISK_RESERVE_BYTES;
  if (bytes <= free) return;
  throw new FramewrightError(
    'OUTPUT_WRITE',
    `${bytesText(bytes)} do not fit into ${folder}, where ${bytesText(Math.max(0, free))} are free; make room, or set ` +
      'FRAMEWRIGHT_MODELS to another folder',
  );
}

async function hashOf(file: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20, ...defined({ signal }) }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}
