import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { framewright } from '../cli/run.js';
import { projectFile } from '../support/photos.js';
import { ACCESS_DENIED, SLOW_DOWN, startS3, type S3Server } from '../support/s3-server.js';
import { describeWith } from '../support/system-tools.js';
import { journalOf, useFleet, written } from './fleet-folder.js';

const ENGINE = ['--engine', 'centre', '-a', '1:1'];
const FAULTS = { NODE_OPTIONS: `--require ${projectFile('test', 'support', 'fleet-faults.cjs')}` };

describeWith(['redis-server'], 'a fleet on buckets', () => {
  const { redis, at, photos, work, until, status, whyWaiting } = useFleet();
  let s3: S3Server;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'framewright-s3-'));
    s3 = await startS3({ folder });
  });
  afterAll(async () => {
    await s3.close();
    rmSync(folder, { recursive: true });
  });
  let nth = 0;
  /** Names of two buckets of the test's own, the first with photos. */
  const buckets = async (n: number): Promise<{ from: string; to: string; files: string[] }> => {
    const [from, to] = [`in-${++nth}`, `out-${nth}`];
    const files = await photos(n, 'in');
    await s3.place(
      from,
      Object.fromEntries(files.map((file) => [`photos/${path.basename(file)}`, readFileSync(file)])),
    );
    await s3.place(to, { 'other/object': Buffer.from('not of a run') });
    return { from, to, files };
  };
  const submit = (run: string, from: string, to: string, ...more: readonly string[]) =>
    framewright(['fleet', 'submit', from, ...ENGINE, '-o', to, '--run', run, '--queue', redis().url, ...more], {
      env: s3.env,
    });
  const worker = (...args: readonly string[]) => work(['--engine', 'centre', ...args], s3.env);
  /** What a bucket holds below a prefix, as files. */
  const fetched = async (bucket: string, prefix: string): Promise<string> => {
    const to = at('fetched', bucket, prefix);
    mkdirSync(to, { recursive: true });
    for (const [key, bytes] of await objectsOf(s3, bucket)) {
      if (!key.startsWith(prefix)) continue;
      const file = at('fetched', bucket, key);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, bytes);
    }
    return to;
  };

  test('gives what one process gives on files, and one journal', async () => {
    const { from, to } = await buckets(7);
    await framewright([at('in'), ...ENGINE, '-o', at('alone')]);
    const submitted = await submit('both', `s3://${from}/photos`, `s3://${to}/crops`, '--job-size', '3');
    expect(submitted.stderr).toContain('7 photos, 3 jobs');
    await worker();
    await worker();
    expect(await until('both', 'merged')).toMatchObject({ nDone: 7, nFailed: 0, output: `s3://${to}/crops/` });
    const out = await fetched(to, 'crops');
    expect(written(out)).toEqual(written(at('alone')));
    const journal = journalOf(out);
    expect([...journal.keys()].sort()).toEqual(Array.from({ length: 7 }, (_, i) => `../../${from}/photos/p00${i}.jpg`));
    expect(journal.get(`../../${from}/photos/p003.jpg`)).toMatchObject({
      results: [{ photo: { path: `s3://${from}/photos/p003.jpg` }, output: [`s3://${to}/crops/p003-1x1.jpg`] }],
    });
    expect([...(await objectsOf(s3, to)).keys()].filter((key) => key.includes('framewright-fleet'))).toEqual([]);
    expect((await submit('both', `s3://${from}/photos`, `s3://${to}/crops`, '--job-size', '3')).stderr).toContain(
      '7 photos, of which 7 were done earlier, 0 jobs',
    );
  });

  test('takes photos of a folder into a bucket, and of a bucket into a folder', async () => {
    const { from, to } = await buckets(3);
    await framewright([at('in'), ...ENGINE, '-o', at('alone')]);
    await submit('up', at('in'), `s3://${to}/up`);
    await submit('down', `s3://${from}/photos/`, at('down'));
    await worker();
    await until('up', 'merged');
    await until('down', 'merged');
    expect(written(await fetched(to, 'up'))).toEqual(written(at('alone')));
    expect(written(at('down'))).toEqual(written(at('alone')));
    expect(journalOf(at('down')).size).toBe(3);
  });

  test('writes over no object that is not its own', async () => {
    const { from, to } = await buckets(3);
    await s3.place(to, { 'crops/p001-1x1.jpg': Buffer.from('mine') });
    await submit('foreign', `s3://${from}/photos`, `s3://${to}/crops`);
    await worker();
    expect(await until('foreign', 'merged')).toMatchObject({ nDone: 2, nFailed: 1, failures: { OUTPUT_EXISTS: 1 } });
    expect((await objectsOf(s3, to)).get('crops/p001-1x1.jpg')?.toString()).toBe('mine');
  });

  test('goes on when a server that was overloaded is not any more, and loses nothing by one that fails for a while', async () => {
    const { from, to } = await buckets(6);
    const calm = [s3.fail({ as: SLOW_DOWN, kind: 'get' }), s3.fail({ as: SLOW_DOWN, kind: 'put' })];
    await submit('busy', `s3://${from}/photos`, `s3://${to}/crops`, '--job-size', '2');
    await worker();
    await expect.poll(() => whyWaiting('busy'), { timeout: 60_000 }).toMatch(/SlowDown|503/);
    expect(await status('busy')).toMatchObject({ nFailed: 0 });
    for (const end of calm) end();
    expect(await until('busy', 'merged')).toMatchObject({ nDone: 6, nFailed: 0 });
  });

  test('where one photo is forbidden it fails; where all are, the worker waits and says why', async () => {
    const { from, to } = await buckets(4);
    const end = s3.fail({ as: ACCESS_DENIED, kind: 'get', key: 'photos/p002.jpg' });
    await submit('one', `s3://${from}/photos`, `s3://${to}/one`);
    await worker();
    expect(await until('one', 'merged')).toMatchObject({ nDone: 3, nFailed: 1, failures: { INPUT_UNREADABLE: 1 } });
    end();
    const all = s3.fail({ as: ACCESS_DENIED, kind: 'put', key: 'all/p001-1x1.jpg' });
    await submit('all', `s3://${from}/photos`, `s3://${to}/all`);
    await expect.poll(() => whyWaiting('all'), { timeout: 60_000 }).toMatch(/not allowed.*s3:PutObject/);
    // Nothing is noted before it is there.
    expect([...(await objectsOf(s3, to)).keys()].filter((key) => key.includes('framewright-fleet'))).toEqual([]);
    all();
    expect(await until('all', 'merged')).toMatchObject({ nDone: 4, nFailed: 0 });
  });

  test('where a photo ends the whole worker, the next one knows which it was', async () => {
    const { from, to } = await buckets(8);
    await submit('fatal', `s3://${from}/photos`, `s3://${to}/fatal`);
    let nWorkers = 0;
    for (; nWorkers < 8 && (await status('fatal')).state !== 'merged'; nWorkers++) {
      const { child } = await work(['--engine', 'centre', '--lock', '1'], {
        ...s3.env,
        ...FAULTS,
        FRAMEWRIGHT_TEST_POISON: 'p006',
        FRAMEWRIGHT_TEST_POISON_ALL: '1',
      });
      await expect.poll(async () => child.signalCode ?? (await status('fatal')).state).toMatch(/SIGKILL|merged/);
    }
    expect(await until('fatal', 'merged')).toMatchObject({ nDone: 7, nFailed: 1, failures: { WORKER_DIED: 1 } });
    // Three died with it alone, and one before them if it was not alone at first.
    expect([4, 5]).toContain(nWorkers);
    expect((await objectsOf(s3, to)).has('fatal/p006-1x1.jpg')).toBe(false);
  });

  test('leaves no copies behind, also of a process that was killed', async () => {
    const { from, to } = await buckets(4);
    mkdirSync(at('tmp'));
    const env = { ...s3.env, ...FAULTS, FRAMEWRIGHT_TEST_POISON: 'p002', TMPDIR: at('tmp') };
    await work(['--engine', 'centre'], env);
    await submit('copies', `s3://${from}/photos`, `s3://${to}/copies`);
    expect(await until('copies', 'merged')).toMatchObject({ nDone: 3, nFailed: 1 });
    await expect.poll(() => readdirSync(at('tmp')).filter((name) => name.startsWith('framewright'))).toEqual([]);
  });

  test('says what it does not do there', async () => {
    const { from, to } = await buckets(1);
    for (const [args, message] of [
      [[`s3://${from}/photos`, `s3://${to}/x`, '--xmp'], /--xmp writes into or beside the photos/],
      [[`s3://${from}/*.jpg`, `s3://${to}/x`], /buckets are listed by prefix/],
      [[`s3://${from}/photos`, 's3:/x'], /two slashes follow s3:/],
      [[`s3://${from}/none`, `s3://${to}/x`], /no photo in s3:/],
      [['s3://no-such-bucket/photos', `s3://${to}/x`], /there is no bucket no-such-bucket/],
    ] as const) {
      const [source, target, ...more] = args;
      const { code, stderr } = await submit(`refused-${++nth}`, source, target, ...more);
      expect(code, stderr).not.toBe(0);
      expect(stderr).toMatch(message);
    }
  });
});

/** What s3rver keeps of a bucket, by key. */
async function objectsOf(s3: S3Server, bucket: string): Promise<Map<string, Buffer>> {
  const { openBucket } = await import('../../src/fleet/bucket/bucket.js');
  Object.assign(process.env, s3.env);
  using opened = await openBucket(bucket);
  const objects = new Map<string, Buffer>();
  for await (const page of opened.list('')) for (const { key } of page) objects.set(key, (await opened.read(key))!);
  return objects;
}
