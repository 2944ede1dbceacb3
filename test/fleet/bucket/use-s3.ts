import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, vi } from 'vitest';
import { openBucket, type Bucket } from '../../../src/fleet/bucket/bucket.js';
import { startS3, type RequestKind, type S3Server } from '../../support/s3-server.js';

export interface UsedS3 {
  readonly s3: S3Server;
  readonly bucket: Bucket;
  /** For files of the tests. */
  readonly folder: string;
}

/** A server with an open bucket `photos`, for the tests of a file. */
export function useS3(): () => UsedS3 {
  let used: UsedS3 | undefined;
  const ends: (() => void)[] = [];
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'framewright-bucket-'));
    const server = await startS3({ folder: join(folder, 's3') });
    for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
    const s3: S3Server = {
      ...server,
      fail: (fault) => {
        const end = server.fail(fault);
        ends.push(end);
        return end;
      },
    };
    used = { s3, bucket: await openBucket('photos'), folder };
  });
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });
  afterAll(async () => {
    used?.bucket.dispose();
    await used?.s3.close();
    vi.unstubAllEnvs();
    if (used) await rm(used.folder, { recursive: true });
  });
  return () => used!;
}

/** The requests that some work makes, by kind; kinds without any are left out. */
export async function requestsOf(
  s3: S3Server,
  work: () => Promise<unknown>,
): Promise<Partial<Record<RequestKind, number>>> {
  const before = { ...s3.counts };
  await work();
  const made = Object.entries(s3.counts).map(([kind, n]) => [kind, n - before[kind as RequestKind]] as const);
  return Object.fromEntries(made.filter(([, n]) => n > 0));
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Bytes of which no piece is like another. */
export function bytesOf(size: number, seed = 'photo'): Buffer {
  const pieces: Buffer[] = [];
  for (let n = 0; n * 2 ** 16 < size; n++) {
    const block = createHash('sha256').update(`${seed} ${n}`).digest();
    pieces.push(Buffer.alloc(2 ** 16, block));
  }
  return Buffer.concat(pieces).subarray(0, size);
}
