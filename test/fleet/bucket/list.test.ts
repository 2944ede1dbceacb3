import { describe, expect, test } from 'vitest';
import { openBucket, type BucketObject } from '../../../src/fleet/bucket/bucket.js';
import { SLOW_DOWN } from '../../support/s3-server.js';
import { rejection } from '../../photo/thrown.js';
import { bytesOf, requestsOf, sha256Of, useS3 } from './use-s3.js';

const used = useS3();

async function listed(prefix: string): Promise<BucketObject[]> {
  const objects: BucketObject[] = [];
  for await (const page of used().bucket.list(prefix)) objects.push(...page);
  return objects;
}

describe('a list', () => {
  test('of more than a thousand objects comes in pages, each asked for when it is wanted', async () => {
    const keys = Array.from({ length: 2100 }, (_, i) => `many/${String(i).padStart(4, '0')}.jpg`);
    const { s3, bucket } = used();
    await s3.place('photos', Object.fromEntries(keys.map((key) => [key, Buffer.from(key)])));
    const pages = bucket.list('many/');
    const sizes: number[] = [];
    const found: string[] = [];
    expect(await requestsOf(s3, () => pages.next())).toEqual({ list: 1 });
    const rest = await requestsOf(s3, async () => {
      for await (const page of pages) {
        sizes.push(page.length);
        found.push(...page.map(({ key }) => key));
      }
    });
    expect(rest).toEqual({ list: 2 });
    expect(sizes).toEqual([1000, 100]);
    expect(found).toEqual(keys.slice(1000));
    expect(await requestsOf(s3, () => bucket.remove(keys))).toEqual({ delete: 3 });
    const lengths = s3.requests.slice(-3).map(({ headers }) => Number(headers['content-length']));
    expect(lengths[1]).toBe(lengths[0]);
    expect(lengths[2]).toBeLessThan(lengths[0]! / 9);
    expect(await listed('many/')).toEqual([]);
  });

  test('tells keys as they are, and each can be read by its key', async () => {
    const keys = [
      'odd/a b.jpg',
      'odd/a+b.jpg',
      'odd/a%20b.jpg',
      'odd/a&b<c>"d\'.jpg',
      'odd/Äußerst schön/寿司 🍣.jpg',
      'odd/a#1.jpg',
      'odd/trailing ',
      'odd//two slashes.jpg',
      'odd/two slashes.jpg',
      'odd/!*().jpg',
      'odd/line\nbreak.jpg',
    ];
    await Promise.all(
      keys.map((key) => used().bucket.put(key, Buffer.from(key), { sha256: sha256Of(Buffer.from(key)) })),
    );
    const objects = await listed('odd/');
    expect(new Set(objects.map(({ key }) => key))).toEqual(new Set(keys));
    for (const { key, size } of objects) {
      expect((await used().bucket.read(key))!.toString()).toBe(key);
      expect(size).toBe(Buffer.byteLength(key));
    }
    expect((await listed('odd/a+')).map(({ key }) => key)).toEqual(['odd/a+b.jpg']);
    // Of these two, s3rver does not read what a deletion says.
    const left = ['odd/line\nbreak.jpg', 'odd/trailing '];
    await used().bucket.remove(keys.filter((key) => !left.includes(key)));
    expect((await listed('odd/')).map(({ key }) => key)).toEqual(left);
  });

  test('tells size, time and ETag, as a download does', async () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const bytes = bytesOf(12345);
    await used().bucket.put('facts/a.jpg', bytes, { sha256: sha256Of(bytes) });
    const [object] = await listed('facts/');
    expect(object).toMatchObject({ key: 'facts/a.jpg', size: 12345 });
    expect(object!.etag).toMatch(/^[0-9a-f]{32}$/);
    expect(object!.modifiedMs).toBeGreaterThanOrEqual(before);
    expect(object!.modifiedMs).toBeLessThanOrEqual(Date.now());
    const { folder, bucket } = used();
    const { etag, size, modifiedMs } = await bucket.download('facts/a.jpg', `${folder}/facts.jpg`);
    expect({ etag, size }).toEqual({ etag: object!.etag, size: object!.size });
    expect(Math.abs(modifiedMs - object!.modifiedMs)).toBeLessThan(1000);
  });

  test('goes on after the server was overloaded', async () => {
    const { s3 } = used();
    await s3.place('photos', { 'busy/a.jpg': bytesOf(3) });
    s3.fail({ as: SLOW_DOWN, kind: 'list', times: 2 });
    let found: BucketObject[] = [];
    const made = await requestsOf(s3, async () => {
      found = await listed('busy/');
    });
    expect(made).toEqual({ list: 3 });
    expect(found).toHaveLength(1);
  });

  test('of a bucket there is none of says so', async () => {
    const missing = await openBucket('no-such-bucket');
    const error = await rejection(missing.list('').next());
    missing.dispose();
    expect(error.code).toBe('USAGE');
    expect(error.message).toContain(`there is no bucket no-such-bucket at ${used().s3.url}`);
  });

  test('stops with the reason of its signal', async () => {
    const reason = new Error('enough');
    await expect(
      used()
        .bucket.list('stopped/', { signal: AbortSignal.abort(reason) })
        .next(),
    ).rejects.toBe(reason);
  });
});

test('removing what is not there is no failure, and nothing to remove asks nothing', async () => {
  const { s3, bucket } = used();
  await bucket.remove(['never/was.jpg']);
  expect(await requestsOf(s3, () => bucket.remove([]))).toEqual({});
});
