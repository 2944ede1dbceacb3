import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { isForbidden, isPassing } from '../../../src/fleet/bucket/bucket-errors.js';
import { openBucket } from '../../../src/fleet/bucket/bucket.js';
import { rejection } from '../../photo/thrown.js';
import { ACCESS_DENIED, SLOW_DOWN } from '../../support/s3-server.js';
import { bytesOf, requestsOf, sha256Of, useS3 } from './use-s3.js';

const used = useS3();
const photo = bytesOf(3_000_001);
let folder: string;
let file: string;
let nFolders = 0;

beforeEach(async () => {
  folder = join(used().folder, `download-${++nFolders}`);
  file = join(folder, 'a.jpg');
  await mkdir(folder);
  await used().s3.place('photos', { 'a.jpg': photo, 'empty.jpg': Buffer.alloc(0) });
});

describe('a download', () => {
  test('brings all bytes and the time of the object, by one request', async () => {
    const { s3, bucket } = used();
    const made = await requestsOf(s3, async () => {
      const object = await bucket.download('a.jpg', file);
      expect(object).toMatchObject({ key: 'a.jpg', size: photo.length });
      expect((await stat(file)).mtimeMs).toBe(object.modifiedMs);
    });
    expect(made).toEqual({ get: 1 });
    expect(sha256Of(await readFile(file))).toBe(sha256Of(photo));
    expect(await readdir(folder)).toEqual(['a.jpg']);
  });

  test('brings nothing as nothing', async () => {
    expect(await used().bucket.download('empty.jpg', file)).toMatchObject({ size: 0 });
    expect((await stat(file)).size).toBe(0);
  });

  test('that is cut asks for the rest alone', async () => {
    const { s3, bucket } = used();
    s3.fail({ as: 'cut', kind: 'get', times: 3 });
    const from = s3.requests.length;
    await bucket.download('a.jpg', file);
    expect(sha256Of(await readFile(file))).toBe(sha256Of(photo));
    const asked = s3.requests.slice(from).map(({ headers }) => headers);
    expect(asked).toHaveLength(4);
    expect(asked[0]!.range).toBeUndefined();
    const starts = asked.slice(1).map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range!)?.[1]));
    expect(starts[0]).toBeGreaterThan(0);
    expect(starts).toEqual([...new Set(starts)].sort((a, b) => a - b));
    // Of the same object.
    expect(new Set(asked.slice(1).map((headers) => headers['if-match'])).size).toBe(1);
    expect(asked[1]!['if-match']).toMatch(/^"[0-9a-f]{32}"$/);
  });

  test('that is cut and then finds another object does not mix the two', async () => {
    const { s3, bucket } = used();
    const isOver = s3.fail({ as: SLOW_DOWN, kind: 'get' });
    s3.fail({ as: 'cut', kind: 'get', times: 1 });
    const before = s3.counts.get;
    const half = rejection(bucket.download('a.jpg', file));
    await expect.poll(() => s3.counts.get - before).toBeGreaterThan(1);
    await bucket.put('a.jpg', bytesOf(3_000_001, 'other'), { sha256: '0', force: true });
    isOver();
    expect((await half).message).toContain('it has changed since the bucket was listed');
    expect(await readdir(folder)).toEqual([]);
  });

  test('that is cut again and again fails, may go well later, and leaves nothing', async () => {
    const { s3, bucket } = used();
    s3.fail({ as: 'cut', kind: 'get' });
    await writeFile(join(folder, 'before.jpg'), 'older');
    const error = await rejection(bucket.download('a.jpg', join(folder, 'before.jpg')));
    expect(error.code).toBe('INPUT_UNREADABLE');
    expect(error.message).toMatch(/^cannot read s3:\/\/photos\/a\.jpg: .*; try again later$/);
    expect([isPassing(error), isForbidden(error)]).toEqual([true, false]);
    expect(await readdir(folder)).toEqual(['before.jpg']);
    expect(await readFile(join(folder, 'before.jpg'), 'utf8')).toBe('older');
  });

  test('of an object that was replaced since it was listed is refused', async () => {
    const { bucket } = used();
    const { etag } = await bucket.download('a.jpg', file);
    await bucket.download('a.jpg', file, { ifMatch: etag });
    await bucket.put('a.jpg', bytesOf(5, 'newer'), { sha256: '0', force: true });
    const error = await rejection(bucket.download('a.jpg', file, { ifMatch: etag }));
    expect(error.code).toBe('INPUT_UNREADABLE');
    expect(error.message).toBe(
      'cannot read s3://photos/a.jpg: it has changed since the bucket was listed; list it again',
    );
    expect([isPassing(error), isForbidden(error)]).toEqual([false, false]);
    expect(sha256Of(await readFile(file))).toBe(sha256Of(photo));
  });

  test('stops with the reason of its signal, in the middle, and leaves nothing', async () => {
    const { s3, bucket } = used();
    const stop = new AbortController();
    const reason = new Error('enough');
    s3.fail({ as: 'cut', kind: 'get' });
    const running = bucket.download('a.jpg', file, { signal: stop.signal });
    await expect.poll(async () => (await stat(join(folder, (await readdir(folder))[0]!))).size).toBeGreaterThan(0);
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(await readdir(folder)).toEqual([]);
  });

  test('into a folder that is not there says so and asks nothing of the server', async () => {
    const { s3, bucket } = used();
    const made = await requestsOf(s3, async () => {
      const error = await rejection(bucket.download('a.jpg', join(folder, 'none', 'a.jpg')));
      expect(error.code).toBe('OUTPUT_WRITE');
      expect(error.message).toContain('does not exist: create it first');
    });
    expect(made).toEqual({});
  });
});

describe('what cannot be read', () => {
  test('is not there', async () => {
    const { bucket } = used();
    const error = await rejection(bucket.download('no such.jpg', file));
    expect([error.code, error.message]).toEqual(['INPUT_NOT_FOUND', 'there is no s3://photos/no such.jpg']);
    expect(await bucket.read('no such.jpg')).toBeUndefined();
    expect(await readdir(folder)).toEqual([]);
  });

  test('comes after an overload of the server', async () => {
    const { s3, bucket } = used();
    s3.fail({ as: SLOW_DOWN, kind: 'get', times: 2 });
    expect(await requestsOf(s3, () => bucket.download('a.jpg', file))).toEqual({ get: 3 });
    expect(sha256Of(await readFile(file))).toBe(sha256Of(photo));
  });

  test('stays away where the server is overloaded for ever, asked five times, and may come later', async () => {
    const { s3, bucket } = used();
    s3.fail({ as: SLOW_DOWN, kind: 'get' });
    const made = await requestsOf(s3, async () => {
      const error = await rejection(bucket.download('a.jpg', file));
      expect(error.code).toBe('INPUT_UNREADABLE');
      expect(error.message).toBe('cannot read s3://photos/a.jpg: SlowDown: said by a test, 5 times; try again later');
      expect([isPassing(error), isForbidden(error)]).toEqual([true, false]);
      expect(isPassing(new Error('of a caller', { cause: error }))).toBe(true);
      // Nothing of the connection, nor what was signed, is kept with it.
      expect(error.cause).not.toHaveProperty('$response');
    });
    expect(made).toEqual({ get: 5 });
    expect(await readdir(folder)).toEqual([]);
  });

  test('is forbidden, which asking again does not change', async () => {
    const { s3, bucket } = used();
    s3.fail({ as: ACCESS_DENIED, key: 'a.jpg' });
    const made = await requestsOf(s3, async () => {
      const error = await rejection(bucket.download('a.jpg', file));
      expect(error.code).toBe('INPUT_UNREADABLE');
      expect(error.message).toContain('not allowed (AccessDenied: said by a test); the credentials need s3:GetObject');
      expect([isPassing(error), isForbidden(error)]).toEqual([false, true]);
      await expect(bucket.read('a.jpg')).rejects.toThrow('not allowed');
    });
    expect(made).toEqual({ get: 2 });
    expect(await bucket.read('empty.jpg')).toEqual(Buffer.alloc(0));
  });

  test('lies in an archive, which is nobody forbidding it', async () => {
    const { s3, bucket } = used();
    s3.fail({ as: { status: 403, code: 'InvalidObjectState' }, key: 'a.jpg' });
    const error = await rejection(bucket.read('a.jpg'));
    expect(error.message).toContain('it lies in an archive; restore it first');
    expect(isForbidden(error)).toBe(false);
  });

  test('is behind a server that is not there', async () => {
    const gone = await openBucket('photos', { endpoint: 'http://127.0.0.1:1' });
    const error = await rejection(gone.read('a.jpg'));
    gone.dispose();
    expect(error.code).toBe('INPUT_UNREADABLE');
    expect(error.message).toContain('ECONNREFUSED');
    expect([isPassing(error), isForbidden(error)]).toEqual([true, false]);
  });

  test('is in a bucket there is none of', async () => {
    const missing = await openBucket('no-such-bucket');
    const error = await rejection(missing.read('a.jpg'));
    missing.dispose();
    expect(error.code).toBe('USAGE');
  });
});

test('all bytes of a small object are read, one that is cut too', async () => {
  const { s3, bucket } = used();
  s3.fail({ as: 'cut', kind: 'get', times: 1 });
  expect(sha256Of((await bucket.read('a.jpg'))!)).toBe(sha256Of(photo));
});
