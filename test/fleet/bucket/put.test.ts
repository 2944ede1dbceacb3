import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isForbidden, isPassing } from '../../../src/fleet/bucket/bucket-errors.js';
import { openBucket, type PutSource } from '../../../src/fleet/bucket/bucket.js';
import { rejection } from '../../photo/thrown.js';
import { ACCESS_DENIED, SLOW_DOWN, type SeenRequest } from '../../support/s3-server.js';
import { bytesOf, requestsOf, sha256Of, useS3 } from './use-s3.js';

const used = useS3();
const MIB = 2 ** 20;
const photo = bytesOf(300_000);
const sha256 = sha256Of(photo);
const other = bytesOf(300_000, 'other');
const large = bytesOf(40 * MIB, 'large');

const NOT_IMPLEMENTED = { status: 501, code: 'NotImplemented' };
const CONFLICT = { status: 409, code: 'ConditionalRequestConflict' };

/** Hex, or undefined where there is none. */
async function sha256At(key: string): Promise<string | undefined> {
  const bytes = await used().bucket.read(key);
  return bytes && sha256Of(bytes);
}

function requestsSince(from: number): readonly SeenRequest[] {
  return used().s3.requests.slice(from);
}

async function fileOf(name: string, bytes: Uint8Array): Promise<PutSource & { readonly file: string }> {
  const file = join(used().folder, name);
  await writeFile(file, bytes);
  return { file };
}

describe('a small object', () => {
  test('goes with its SHA-256 and type by one request, which no server takes over another', async () => {
    const { s3, bucket } = used();
    const from = s3.requests.length;
    expect(await bucket.put('one/a.jpg', photo, { sha256, contentType: 'image/jpeg' })).toBe('written');
    const [put, ...more] = requestsSince(from);
    expect(more).toEqual([]);
    expect(put!.headers).toMatchObject({
      'if-none-match': '*',
      'x-amz-meta-sha256': sha256,
      'content-type': 'image/jpeg',
      'content-length': String(photo.length),
    });
    expect(await sha256At('one/a.jpg')).toBe(sha256);
  });

  test.each([
    ['bytes', 'kinds/bytes.jpg', () => Promise.resolve(photo)],
    ['a file', 'kinds/file.jpg', () => fileOf('small.jpg', photo)],
    ['no bytes at all', 'kinds/none.jpg', () => Promise.resolve(Buffer.alloc(0))],
    ['an empty file', 'kinds/none-file.jpg', () => fileOf('empty.jpg', Buffer.alloc(0))],
  ])('can be %s', async (_, key, source) => {
    const bytes = key.includes('none') ? Buffer.alloc(0) : photo;
    expect(await used().bucket.put(key, await source(), { sha256: sha256Of(bytes) })).toBe('written');
    expect(await sha256At(key)).toBe(sha256Of(bytes));
    expect(await used().bucket.put(key, await source(), { sha256: sha256Of(bytes) })).toBe('same');
  });

  test('that is there already is the same or in the way, told by its SHA-256 alone', async () => {
    const { s3, bucket } = used();
    await bucket.put('twice/a.jpg', photo, { sha256 });
    const again = await requestsOf(s3, async () => {
      expect(await bucket.put('twice/a.jpg', photo, { sha256 })).toBe('same');
    });
    expect(again).toEqual({ put: 1, head: 1 });
    const against = await requestsOf(s3, async () => {
      const error = await rejection(bucket.put('twice/a.jpg', other, { sha256: sha256Of(other) }));
      expect(error.code).toBe('OUTPUT_EXISTS');
      expect(error.message).toBe('s3://photos/twice/a.jpg exists already: use --force to replace it');
    });
    expect(against).toEqual({ put: 1, head: 1 });
    expect(await sha256At('twice/a.jpg')).toBe(sha256);
  });

  test('that another program has stored is compared by its bytes', async () => {
    const { s3, bucket } = used();
    await s3.place('photos', { 'foreign/a.jpg': photo, 'foreign/b.jpg': other, 'foreign/c.jpg': bytesOf(5) });
    const made = await requestsOf(s3, async () => {
      expect(await bucket.put('foreign/a.jpg', photo, { sha256 })).toBe('same');
    });
    expect(made).toEqual({ put: 1, head: 1, get: 1 });
    expect((await rejection(bucket.put('foreign/b.jpg', photo, { sha256 }))).code).toBe('OUTPUT_EXISTS');
    const ofOtherSize = await requestsOf(s3, async () => {
      expect((await rejection(bucket.put('foreign/c.jpg', photo, { sha256 }))).code).toBe('OUTPUT_EXISTS');
    });
    expect(ofOtherSize).toEqual({ put: 1, head: 1 });
  });

  test('replaces another by force, unconditionally', async () => {
    const { s3, bucket } = used();
    await bucket.put('forced/a.jpg', other, { sha256: sha256Of(other) });
    const from = s3.requests.length;
    expect(await bucket.put('forced/a.jpg', photo, { sha256, force: true })).toBe('written');
    expect(requestsSince(from).map(({ kind }) => kind)).toEqual(['put']);
    expect(requestsSince(from)[0]!.headers).not.toHaveProperty('if-none-match');
    expect(await sha256At('forced/a.jpg')).toBe(sha256);
  });

  test('replaces the one that was read, and no other that has come in its place', async () => {
    const { s3, bucket } = used();
    await bucket.put('read/a.jpg', other, { sha256: sha256Of(other) });
    const { etag } = await bucket.download('read/a.jpg', join(used().folder, 'read.jpg'));
    expect(await bucket.put('read/a.jpg', photo, { sha256, ifMatch: etag })).toBe('written');
    expect(s3.requests.at(-1)!.headers['if-match']).toBe(`"${etag}"`);
    expect(await sha256At('read/a.jpg')).toBe(sha256);
    // Its answer may have been lost.
    expect(await bucket.put('read/a.jpg', photo, { sha256, ifMatch: etag })).toBe('same');
    const third = bytesOf(400_000, 'third');
    const late = await rejection(bucket.put('read/a.jpg', third, { sha256: sha256Of(third), ifMatch: etag }));
    expect(late.code).toBe('OUTPUT_LOCKED');
    expect(late.message).toContain('s3://photos/read/a.jpg was changed by another run meanwhile');
    await bucket.remove(['read/a.jpg']);
    expect((await rejection(bucket.put('read/a.jpg', photo, { sha256, ifMatch: etag }))).code).toBe('OUTPUT_LOCKED');
    s3.fail({ as: { status: 404, code: 'NoSuchKey' }, kind: 'put', times: 1 });
    expect((await rejection(bucket.put('read/a.jpg', photo, { sha256, ifMatch: etag }))).code).toBe('OUTPUT_LOCKED');
  });

  test('written by two at once is written by one', async () => {
    const { s3, bucket } = used();
    const second = await openBucket('photos');
    for (let i = 0; i < 5; i++) {
      const same = await Promise.all([bucket, second].map((each) => each.put(`race/${i}.jpg`, photo, { sha256 })));
      expect(same.toSorted()).toEqual(['same', 'written']);
      const rivals = await Promise.allSettled([
        bucket.put(`rivals/${i}.jpg`, photo, { sha256 }),
        second.put(`rivals/${i}.jpg`, other, { sha256: sha256Of(other) }),
      ]);
      const lost = rivals.findIndex(({ status }) => status === 'rejected');
      expect(rivals.filter(({ status }) => status === 'rejected')).toMatchObject([
        { reason: { code: 'OUTPUT_EXISTS' } },
      ]);
      expect(await sha256At(`rivals/${i}.jpg`)).toBe(lost === 1 ? sha256 : sha256Of(other));
    }
    expect(s3.requests.filter(({ kind, key }) => kind === 'put' && key.startsWith('race/'))).toHaveLength(10);
    second.dispose();
  });

  test('whose answer was lost is found to be there', async () => {
    const { s3, bucket } = used();
    s3.fail({ as: 'lost', kind: 'put', times: 1 });
    const made = await requestsOf(s3, async () => {
      expect(await bucket.put('lost/a.jpg', photo, { sha256 })).toBe('same');
    });
    expect(made).toEqual({ put: 2, head: 1 });
    expect(await sha256At('lost/a.jpg')).toBe(sha256);
  });

  test('that meets another write is tried again', async () => {
    const { s3, bucket } = used();
    s3.fail({ as: CONFLICT, kind: 'put', times: 2 });
    const made = await requestsOf(s3, async () => {
      expect(await bucket.put('conflict/a.jpg', photo, { sha256 })).toBe('written');
    });
    expect(made).toEqual({ put: 3 });
  });

  test('that meets other writes for ever is given up, and may go well later', async () => {
    const { s3, bucket } = used();
    s3.fail({ as: CONFLICT, kind: 'put' });
    const error = await rejection(bucket.put('conflict/b.jpg', photo, { sha256 }));
    expect(error.code).toBe('OUTPUT_WRITE');
    expect(isPassing(error)).toBe(true);
  });
});

describe('a server that knows no conditional writes', () => {
  test('is asked first whether there is an object, and told no condition again', async () => {
    const { s3 } = used();
    const bucket = await openBucket('photos');
    s3.fail({ as: NOT_IMPLEMENTED, kind: 'put', times: 1 });
    const first = await requestsOf(s3, async () => {
      expect(await bucket.put('plain/a.jpg', photo, { sha256 })).toBe('written');
    });
    expect(first).toEqual({ put: 2, head: 1 });
    const from = s3.requests.length;
    expect(await bucket.put('plain/b.jpg', photo, { sha256 })).toBe('written');
    expect(requestsSince(from).map(({ kind }) => kind)).toEqual(['head', 'put']);
    expect(requestsSince(from)[1]!.headers).not.toHaveProperty('if-none-match');
    const again = await requestsOf(s3, async () => {
      expect(await bucket.put('plain/a.jpg', photo, { sha256 })).toBe('same');
      expect((await rejection(bucket.put('plain/a.jpg', other, { sha256: sha256Of(other) }))).code).toBe(
        'OUTPUT_EXISTS',
      );
    });
    expect(again).toEqual({ head: 2 });
    bucket.dispose();
  });

  test('and lets nobody look is not written to', async () => {
    const { s3 } = used();
    const bucket = await openBucket('photos');
    s3.fail({ as: NOT_IMPLEMENTED, kind: 'put', times: 1 });
    s3.fail({ as: ACCESS_DENIED, kind: 'head' });
    const made = await requestsOf(s3, async () => {
      const error = await rejection(bucket.put('plain/c.jpg', photo, { sha256 }));
      expect(error.message).toContain('may exist, and needs s3:GetObject to tell');
    });
    expect(made).toEqual({ put: 1, head: 1 });
    bucket.dispose();
  });

  test('and says so of everything has its answer told', async () => {
    const { s3 } = used();
    const bucket = await openBucket('photos');
    s3.fail({ as: NOT_IMPLEMENTED, kind: 'put' });
    const error = await rejection(bucket.put('plain/d.jpg', photo, { sha256, force: true }));
    expect([error.code, isPassing(error)]).toEqual(['OUTPUT_WRITE', false]);
    expect(error.message).toContain('NotImplemented');
    bucket.dispose();
  });
});

describe('a large object', () => {
  test.each([
    ['bytes', 'large/bytes.tif', () => Promise.resolve(large)],
    ['a file', 'large/file.tif', () => fileOf('large.tif', large)],
  ])('goes in parts, as %s, with its SHA-256', async (_, key, source) => {
    const { s3, bucket } = used();
    const from = s3.requests.length;
    const made = await requestsOf(s3, async () => {
      expect(await bucket.put(key, await source(), { sha256: sha256Of(large), contentType: 'image/tiff' })).toBe(
        'written',
      );
    });
    expect(made).toEqual({ head: 1, 'create-upload': 1, part: 5, 'complete-upload': 1 });
    const seen = requestsSince(from);
    expect(seen.find(({ kind }) => kind === 'create-upload')!.headers).toMatchObject({
      'x-amz-meta-sha256': sha256Of(large),
      'content-type': 'image/tiff',
    });
    expect(seen.find(({ kind }) => kind === 'complete-upload')!.headers['if-none-match']).toBe('*');
    expect(await sha256At(key)).toBe(sha256Of(large));
    expect(await s3.openUploads('photos')).toEqual([]);
  });

  test('that is there already is not sent', async () => {
    const { s3, bucket } = used();
    await bucket.put('large/again.tif', large, { sha256: sha256Of(large) });
    const made = await requestsOf(s3, async () => {
      expect(await bucket.put('large/again.tif', large, { sha256: sha256Of(large) })).toBe('same');
      const error = await rejection(bucket.put('large/again.tif', large.subarray(1), { sha256 }));
      expect(error.code).toBe('OUTPUT_EXISTS');
    });
    expect(made).toEqual({ head: 2 });
  });

  test('written by two at once is written by one, and no parts of the other are left', async () => {
    const { s3, bucket } = used();
    const second = await openBucket('photos');
    const put = (each: typeof bucket) => each.put('large/race.tif', large, { sha256: sha256Of(large) });
    expect((await Promise.all([put(bucket), put(second)])).toSorted()).toEqual(['same', 'written']);
    expect(await s3.openUploads('photos')).toEqual([]);
    expect(await sha256At('large/race.tif')).toBe(sha256Of(large));
    second.dispose();
  });

  test('that is forced replaces another', async () => {
    const { s3, bucket } = used();
    await s3.place('photos', { 'large/forced.tif': other });
    const made = await requestsOf(s3, () =>
      bucket.put('large/forced.tif', large, { sha256: sha256Of(large), force: true }),
    );
    expect(made).toEqual({ 'create-upload': 1, part: 5, 'complete-upload': 1 });
    expect(await sha256At('large/forced.tif')).toBe(sha256Of(large));
  });

  test('that was read is replaced, unless another has come in its place, with no look before its bytes', async () => {
    const { s3, bucket } = used();
    await s3.place('photos', { 'large/read.tif': other });
    const { etag } = await bucket.download('large/read.tif', join(used().folder, 'read.tif'));
    const options = { sha256: sha256Of(large), ifMatch: etag };
    const made = await requestsOf(s3, () => bucket.put('large/read.tif', large, options));
    expect(made).toEqual({ 'create-upload': 1, part: 5, 'complete-upload': 1 });
    expect(await sha256At('large/read.tif')).toBe(sha256Of(large));
    const another = bytesOf(30 * MIB, 'another');
    const late = await rejection(bucket.put('large/read.tif', another, { ...options, sha256: sha256Of(another) }));
    expect(late.code).toBe('OUTPUT_LOCKED');
    expect(await s3.openUploads('photos')).toEqual([]);
  });

  test.each([
    [false, 'same'],
    [true, 'written'],
  ] as const)('whose last answer was lost is found to be there (force: %s)', async (force, outcome) => {
    const { s3, bucket } = used();
    s3.fail({ as: 'lost', kind: 'complete-upload', times: 1 });
    const key = `large/lost-${outcome}.tif`;
    expect(await bucket.put(key, large, { sha256: sha256Of(large), force })).toBe(outcome);
    expect(await sha256At(key)).toBe(sha256Of(large));
    expect(await s3.openUploads('photos')).toEqual([]);
  });

  test('loses a part on the way and sends that one again', async () => {
    const { s3, bucket } = used();
    s3.fail({ as: SLOW_DOWN, kind: 'part', times: 2 });
    const made = await requestsOf(s3, () => bucket.put('large/slow.tif', large, { sha256: sha256Of(large) }));
    expect(made).toMatchObject({ part: 7, 'complete-upload': 1 });
  });

  test('that is stopped in the middle rejects with the reason when its parts are gone', async () => {
    const { s3, bucket } = used();
    const stop = new AbortController();
    const reason = new Error('enough');
    const before = s3.counts.part;
    const running = bucket.put('large/stopped.tif', await fileOf('stopped.tif', large), {
      sha256: sha256Of(large),
      signal: stop.signal,
    });
    const listened = running.catch((error: unknown) => error);
    await expect.poll(() => s3.counts.part - before, { interval: 1 }).toBeGreaterThan(0);
    expect(await s3.openUploads('photos')).toHaveLength(1);
    stop.abort(reason);
    expect(await listened).toBe(reason);
    expect(await s3.openUploads('photos')).toEqual([]);
    expect(await bucket.read('large/stopped.tif')).toBeUndefined();
  });

  test('that fails half-way leaves no parts', async () => {
    const { s3, bucket } = used();
    s3.fail({ as: ACCESS_DENIED, kind: 'complete-upload' });
    const error = await rejection(bucket.put('large/failed.tif', large, { sha256: sha256Of(large) }));
    expect([error.code, isForbidden(error)]).toEqual(['OUTPUT_WRITE', true]);
    expect(await s3.openUploads('photos')).toEqual([]);
  });

  test('whose file shrinks on the way is not stored', async () => {
    const { s3, bucket } = used();
    const source = await fileOf('shrunk.tif', large);
    const slow = s3.fail({ as: SLOW_DOWN, kind: 'head' });
    const before = s3.counts.head;
    const running = rejection(bucket.put('large/shrunk.tif', source, { sha256: sha256Of(large) }));
    await expect.poll(() => s3.counts.head - before, { interval: 1 }).toBeGreaterThan(0);
    await truncate(source.file, 20 * MIB);
    slow();
    const error = await running;
    expect(error.code).toBe('OUTPUT_WRITE');
    expect(error.message).toContain('part');
    expect(await bucket.read('large/shrunk.tif')).toBeUndefined();
    expect(await s3.openUploads('photos')).toEqual([]);
  });
});

describe('what cannot be written', () => {
  test('comes after an overload of the server', async () => {
    const { s3, bucket } = used();
    s3.fail({ as: SLOW_DOWN, kind: 'put', times: 2 });
    const made = await requestsOf(s3, async () => {
      expect(await bucket.put('busy/a.jpg', photo, { sha256 })).toBe('written');
    });
    expect(made).toEqual({ put: 3 });
  });

  test('stays away where the server is overloaded for ever, and may come later', async () => {
    const { s3, bucket } = used();
    s3.fail({ as: SLOW_DOWN, kind: 'put' });
    const made = await requestsOf(s3, async () => {
      const error = await rejection(bucket.put('busy/b.jpg', photo, { sha256 }));
      expect(error.code).toBe('OUTPUT_WRITE');
      expect(error.message).toBe(
        'cannot write s3://photos/busy/b.jpg: SlowDown: said by a test, 5 times; try again later',
      );
      expect([isPassing(error), isForbidden(error)]).toEqual([true, false]);
    });
    expect(made).toEqual({ put: 5 });
  });

  test('is forbidden', async () => {
    const { s3, bucket } = used();
    s3.fail({ as: ACCESS_DENIED, key: 'secret/a.jpg' });
    const error = await rejection(bucket.put('secret/a.jpg', photo, { sha256 }));
    expect(error.code).toBe('OUTPUT_WRITE');
    expect(error.message).toContain('not allowed (AccessDenied: said by a test); the credentials need s3:PutObject');
    expect([isPassing(error), isForbidden(error)]).toEqual([false, true]);
  });

  test('is there already, and may not be looked at', async () => {
    const { s3, bucket } = used();
    await bucket.put('hidden/a.jpg', photo, { sha256 });
    s3.fail({ as: ACCESS_DENIED, kind: 'head' });
    const error = await rejection(bucket.put('hidden/a.jpg', photo, { sha256 }));
    expect(error.code).toBe('OUTPUT_EXISTS');
    expect(error.message).toContain('exists already, and needs s3:GetObject to compare');
  });

  test('is in a bucket there is none of', async () => {
    const missing = await openBucket('no-such-bucket');
    for (const bytes of [photo, large]) {
      const error = await rejection(missing.put('a.jpg', bytes, { sha256 }));
      expect(error.code).toBe('USAGE');
      expect(error.message).toContain('there is no bucket no-such-bucket');
    }
    missing.dispose();
  });

  test('is a file that is not there, or none', async () => {
    const { bucket, folder } = used();
    const missing = await rejection(bucket.put('a.jpg', { file: join(folder, 'no such.jpg') }, { sha256 }));
    expect(missing.code).toBe('INPUT_NOT_FOUND');
    expect((await rejection(bucket.put('a.jpg', { file: folder }, { sha256 }))).code).toBe('INPUT_UNREADABLE');
  });

  test('is not removed either', async () => {
    const { s3, bucket } = used();
    s3.fail({ as: ACCESS_DENIED, kind: 'delete' });
    const error = await rejection(bucket.remove(['a.jpg']));
    expect([error.code, isForbidden(error)]).toEqual(['OUTPUT_WRITE', true]);
  });
});
