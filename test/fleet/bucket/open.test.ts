import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { isForbidden, isPassing } from '../../../src/fleet/bucket/bucket-errors.js';
import { openBucket, type BucketOptions } from '../../../src/fleet/bucket/bucket.js';
import { rejection } from '../../photo/thrown.js';
import { bytesOf, requestsOf, sha256Of, useS3 } from './use-s3.js';

const used = useS3();
const photo = bytesOf(1000);
const sha256 = sha256Of(photo);

afterEach(() => {
  for (const [name, value] of Object.entries(used().s3.env)) vi.stubEnv(name, value);
});

/** By name, as the addresses of buckets before the host would have it; an IP address has them in the path anyway. */
function byName(): string {
  return used().s3.url.replace('127.0.0.1', 'localhost');
}

describe('opening a bucket', () => {
  test('asks nothing of the server', async () => {
    const made = await requestsOf(used().s3, async () => {
      const bucket = await openBucket('photos');
      bucket.dispose();
    });
    expect(made).toEqual({});
  });

  test.each([
    ['AWS_ENDPOINT_URL_S3', () => vi.stubEnv('AWS_ENDPOINT_URL_S3', byName())],
    ['AWS_ENDPOINT_URL', () => vi.stubEnv('AWS_ENDPOINT_URL_S3', undefined).stubEnv('AWS_ENDPOINT_URL', byName())],
    [
      'the profile',
      async () => {
        const file = join(used().folder, 'config');
        await writeFile(file, `[default]\nendpoint_url = ${byName()}\n`);
        vi.stubEnv('AWS_ENDPOINT_URL_S3', undefined).stubEnv('AWS_CONFIG_FILE', file);
      },
    ],
    ['an option', () => vi.stubEnv('AWS_ENDPOINT_URL_S3', undefined)],
  ])('at the endpoint of %s has the bucket in the path', async (name, set) => {
    await used().s3.place('photos', { 'a.jpg': photo });
    await set();
    const bucket = await openBucket('photos', name === 'an option' ? { endpoint: byName() } : {});
    expect(await bucket.read('a.jpg')).toEqual(photo);
    expect(used().s3.requests.at(-1)).toMatchObject({ bucket: 'photos', key: 'a.jpg' });
    bucket.dispose();
    vi.stubEnv('AWS_ENDPOINT_URL', undefined);
  });

  test('where wanted has the bucket before the host', async () => {
    const bucket = await openBucket('photos', { endpoint: byName(), forcePathStyle: false });
    const from = used().s3.requests.length;
    // Not every system finds photos.localhost.
    await bucket.read('a.jpg').catch(() => undefined);
    bucket.dispose();
    const seen = used().s3.requests.slice(from);
    expect(seen.filter((each) => each.bucket === 'photos')).toEqual([]);
  });

  test.each([
    ['photos.example', 'is no address of an S3 server'],
    ['ftp://photos.example', 'is no address of an S3 server'],
    ['', 'is no address of an S3 server'],
  ])('at %j is refused', async (endpoint, why) => {
    const error = await rejection(openBucket('photos', { endpoint }));
    expect(error.code).toBe('USAGE');
    expect(error.message).toContain(why);
  });

  test('with an option there is none of says what was meant', async () => {
    const error = await rejection(openBucket('photos', { endPoint: 'http://localhost' } as BucketOptions));
    expect([error.code, error.message]).toEqual([
      'USAGE',
      'openBucket has no option "endPoint"; did you mean endpoint?',
    ]);
  });

  test('sends no checksums that servers other than AWS may not know', async () => {
    const { s3, bucket } = used();
    await bucket.put('plain.jpg', photo, { sha256 });
    const { headers } = s3.requests.at(-1)!;
    expect(headers['x-amz-content-sha256']).toBe(sha256);
    expect(Object.keys(headers).filter((name) => name.includes('checksum'))).toEqual([]);
  });
});

describe('settings that are wrong', () => {
  test('are no credentials', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined).stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    const bucket = await openBucket('photos');
    const error = await rejection(bucket.read('a.jpg'));
    bucket.dispose();
    expect(error.code).toBe('USAGE');
    expect(error.message).toContain('set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE');
    expect([isPassing(error), isForbidden(error)]).toEqual([false, false]);
  });

  test('are credentials the server does not know', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'nobody');
    const bucket = await openBucket('photos');
    const error = await rejection(bucket.read('a.jpg'));
    bucket.dispose();
    expect(error.code).toBe('INPUT_UNREADABLE');
    expect(error.message).toContain('the server does not know the credentials (InvalidAccessKeyId');
    expect([isPassing(error), isForbidden(error)]).toEqual([false, true]);
  });

  test('are no region', async () => {
    vi.stubEnv('AWS_REGION', undefined);
    const bucket = await openBucket('photos');
    const error = await rejection(bucket.read('a.jpg'));
    bucket.dispose();
    expect(error.code).toBe('USAGE');
    expect(error.message).toContain('set AWS_REGION');
    const told = await openBucket('photos', { region: 'us-east-1' });
    expect(await told.read('no such.jpg')).toBeUndefined();
    told.dispose();
  });
});

describe('a bucket that is closed', () => {
  test('takes nothing more, however often it is closed', async () => {
    const bucket = await openBucket('photos');
    bucket.dispose();
    bucket.dispose();
    expect((await rejection(bucket.read('a.jpg'))).code).toBe('DISPOSED');
    expect((await rejection(bucket.put('a.jpg', photo, { sha256 }))).code).toBe('DISPOSED');
    expect((await rejection(bucket.list('').next())).code).toBe('DISPOSED');
    expect((await rejection(bucket.remove(['a.jpg']))).code).toBe('DISPOSED');
  });

  test('stops what is running', async () => {
    const { s3 } = used();
    const bucket = await openBucket('photos');
    s3.fail({ as: { status: 503, code: 'SlowDown' }, kind: 'get' });
    const before = s3.counts.get;
    const running = rejection(bucket.read('a.jpg'));
    await expect.poll(() => s3.counts.get - before, { interval: 1 }).toBeGreaterThan(0);
    bucket.dispose();
    expect((await running).code).toBe('DISPOSED');
  });
});

test('the signal a bucket is opened with stops what is done with it', async () => {
  const stop = new AbortController();
  const reason = new Error('enough');
  const bucket = await openBucket('photos', { signal: stop.signal });
  expect(await bucket.read('no such.jpg')).toBeUndefined();
  stop.abort(reason);
  await expect(bucket.read('a.jpg', { signal: new AbortController().signal })).rejects.toBe(reason);
  bucket.dispose();
});

test('many at once, of one signal, are no reason for a warning', async () => {
  const { bucket } = used();
  const warnings: Error[] = [];
  const note = (warning: Error): number => warnings.push(warning);
  process.on('warning', note);
  const { signal } = new AbortController();
  const keys = Array.from({ length: 40 }, (_, i) => `many/${i}.jpg`);
  await Promise.all(keys.map((key) => bucket.put(key, photo, { sha256, signal })));
  await Promise.all(keys.map((key) => bucket.read(key)));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', note);
  expect(warnings).toEqual([]);
});
