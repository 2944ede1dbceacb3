import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startWorker } from '../../src/index.js';
import { examplePhoto, projectFile } from '../support/photos.js';
import { canMount, mountSmallDisk, unmount } from '../support/small-disk.js';
import { declareWhere, describeWith } from '../support/system-tools.js';
import { journalOf, useFleet, written } from './fleet-folder.js';

const ENGINE = ['--engine', 'centre', '-a', '1:1'];
const FAULTS = { NODE_OPTIONS: `--require ${projectFile('test', 'support', 'fleet-faults.cjs')}` };

describeWith(['redis-server'], 'a fleet goes on', () => {
  const { redis, at, photos, fleet, work, until, status, whyWaiting } = useFleet();
  const submit = (run: string, ...more: readonly string[]) =>
    fleet('submit', at('in'), ...ENGINE, '-o', at('out'), '--run', run, ...more);

  test('where a photo ends the process that crops it: it is set aside, and tried again when asked to', async () => {
    await photos(10, 'in');
    await submit('poison', '--job-size', '10');
    const worker = await work(undefined, { ...FAULTS, FRAMEWRIGHT_TEST_POISON: 'p004' });
    const end = await until('poison', 'merged');
    expect(end).toMatchObject({ nPhotos: 10, nDone: 9, nFailed: 1, failures: { WORKER_DIED: 1 } });
    expect(Object.keys(written(at('out')))).toHaveLength(9);
    expect(worker.said()).toMatch(
      /p004\.jpg: the process that crops it has ended 3 times with it alone.*\[WORKER_DIED\]/,
    );
    expect((await fleet('status', 'poison')).stdout).toContain('poison: 1 WORKER_DIED');
    await worker.stop();
    await work();
    // What it was set aside for is mended meanwhile.
    expect((await fleet('retry', 'poison', '--code', 'INPUT_CORRUPT')).stderr).toContain('0 photos to try again');
    expect((await fleet('retry', 'poison')).stderr).toContain('1 photo to try again');
    expect(await until('poison', 'merged')).toMatchObject({ nDone: 10, nFailed: 0, failures: {} });
    expect(journalOf(at('out')).size).toBe(10);
  });

  test('where a photo ends the whole worker: the next one knows which it was', async () => {
    await photos(4, 'in');
    await submit('fatal', '--job-size', '4');
    let nWorkers = 0;
    // As an orchestrator that starts a worker anew whenever one has ended.
    for (; nWorkers < 8 && (await status('fatal')).state !== 'merged'; nWorkers++) {
      const worker = await work(['--engine', 'centre', '--lock', '1'], {
        ...FAULTS,
        FRAMEWRIGHT_TEST_POISON: 'p002',
        FRAMEWRIGHT_TEST_POISON_ALL: '1',
      });
      await expect.poll(async () => worker.child.signalCode ?? (await status('fatal')).state).toMatch(/SIGKILL|merged/);
    }
    expect(await until('fatal', 'merged')).toMatchObject({ nDone: 3, nFailed: 1, failures: { WORKER_DIED: 1 } });
    // Three died with it alone, and one before them if it was not alone at first.
    expect([4, 5]).toContain(nWorkers);
  });

  test('where a photo has gone since, or is none', async () => {
    const files = await photos(5, 'in');
    writeFileSync(at('in', 'text.jpg'), 'no photo');
    await submit('gone', '--job-size', '3');
    rmSync(files[1]!);
    await work();
    const end = await until('gone', 'merged');
    expect(end).toMatchObject({ nDone: 4, nFailed: 2, failures: { INPUT_NOT_FOUND: 1, INPUT_UNSUPPORTED: 1 } });
    expect((await fleet('status', 'gone', '--wait')).code).toBe(4);
  });

  test('where the folder of the photos is not there: nothing fails, and the worker says what it waits for', async () => {
    await photos(3, 'in');
    await submit('unmounted');
    renameSync(at('in'), at('elsewhere'));
    await work();
    await expect.poll(() => whyWaiting('unmounted')).toMatch(/in, where photos of the run lie, is not there: mount it/);
    expect((await fleet('status')).stdout).toMatch(/waiting: .*mount it/);
    renameSync(at('elsewhere'), at('in'));
    expect(await until('unmounted', 'merged')).toMatchObject({ nDone: 3, nFailed: 0 });
  });

  test('where a clock is an hour off, either way', async () => {
    await photos(12, 'in');
    await submit('clocks', '--job-size', '1');
    await work(['--engine', 'centre', '--lock', '2'], { ...FAULTS, FRAMEWRIGHT_TEST_CLOCK: '3600000' });
    const behind = await work(['--engine', 'centre', '--lock', '2'], { ...FAULTS, FRAMEWRIGHT_TEST_CLOCK: '-3600000' });
    const end = await until('clocks', 'merged');
    expect(end).toMatchObject({ nDone: 12, nFailed: 0 });
    expect(Math.abs(Date.parse(end.startedAt) - Date.now())).toBeLessThan(600_000);
    expect(end.workers).toHaveLength(2);
    expect(behind.said()).not.toContain('waiting');
  });

  test('where a worker is told to end: it hands back what it had, and nothing counts as a death', async () => {
    await photos(1, 'in');
    for (let i = 1; i < 40; i++) copyFileSync(examplePhoto('dogs'), at('in', `dogs${i}.jpg`));
    await submit('drained', '--job-size', '40');
    const first = await work();
    await expect.poll(() => Object.keys(written(at('out'))).length, { interval: 20 }).toBeGreaterThan(2);
    expect(await first.stop()).toBe(0);
    expect(Object.keys(written(at('out'))).length).toBeLessThan(40);
    const there = await status('drained');
    expect(there).toMatchObject({ nJobsOpen: 1, workers: [] });
    await work();
    expect(await until('drained', 'merged')).toMatchObject({ nDone: 40, nFailed: 0 });
    expect(journalOf(at('out')).size).toBe(40);
  });

  test('where a worker is killed with its job: another takes it when the lock runs out', async () => {
    await photos(60, 'in');
    await submit('killed', '--job-size', '60');
    const first = await work(['--engine', 'centre', '--lock', '1']);
    await expect.poll(() => Object.keys(written(at('out'))).length, { interval: 20 }).toBeGreaterThan(0);
    first.child.kill('SIGKILL');
    await work(['--engine', 'centre', '--lock', '1']);
    expect(await until('killed', 'merged')).toMatchObject({ nDone: 60, nFailed: 0 });
    expect(journalOf(at('out')).size).toBe(60);
    expect(readdirSync(at('out')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('where the server of the queue is killed and started again', async () => {
    await photos(40, 'in');
    await submit('server', '--job-size', '5');
    const worker = await work();
    await expect.poll(async () => (await status('server')).nDone, { interval: 20 }).toBeGreaterThan(0);
    await redis().kill();
    await expect.poll(worker.said).toContain("the queue's server is gone");
    await redis().restart();
    expect(await until('server', 'merged')).toMatchObject({ nDone: 40, nFailed: 0 });
    expect(journalOf(at('out')).size).toBe(40);
  });

  test('where the process that crops has grown too large: it is made anew between two photos', async () => {
    await photos(6, 'in');
    await submit('large', '--job-size', '6');
    const worker = await work(['--engine', 'centre', '--memory', '1MB']);
    expect(await until('large', 'merged')).toMatchObject({ nDone: 6, nFailed: 0 });
    expect(worker.said()).not.toContain('WORKER_DIED');
  });

  test('where a run is called off: it ends, and the same submit goes on from there', async () => {
    await photos(40, 'in');
    await submit('off', '--job-size', '2');
    expect((await fleet('cancel', 'off')).stderr).toContain('off is cancelled, 20 jobs taken out of the queue');
    const worker = await work();
    expect((await fleet('status', 'off', '--wait')).code).toBe(130);
    expect(worker.said()).not.toContain('off: 2 photos done');
    await submit('off', '--job-size', '2');
    expect(await until('off', 'merged')).toMatchObject({ nDone: 40, nFailed: 0 });
  });

  declareWhere(canMount, 'a full disk under a fleet', 'the right to mount', () => {
    test('where the disk is full: the job is kept, and goes on when there is room', async () => {
      await photos(1, 'in');
      for (let i = 1; i < 30; i++) copyFileSync(examplePhoto('dogs'), at('in', `dogs${i}.jpg`));
      mkdirSync(at('out'));
      mountSmallDisk(at('out'), '1m');
      try {
        await submit('disk', '--job-size', '8');
        const worker = await work();
        await expect.poll(worker.said).toMatch(/the disk or quota is full.*waiting/);
        expect(await status('disk')).toMatchObject({ nFailed: 0, state: 'running' });
        mountSmallDisk(at('out'), '64m', { again: true });
        expect(await until('disk', 'merged')).toMatchObject({ nDone: 30, nFailed: 0 });
        expect(journalOf(at('out')).size).toBe(30);
        expect(existsSync(at('out', '.framewright-fleet'))).toBe(false);
        await worker.stop();
      } finally {
        unmount(at('out'));
      }
    });
  });

  test('from a program, which has the errors of its options', async () => {
    await photos(3, 'in');
    await submit('program');
    await expect(startWorker({ queue: redis().url, memoryBytes: 0 })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(startWorker({ queue: redis().url, cropper: { engine: 'vlm', model: 'none' } })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    });
    const merged: string[] = [];
    const worker = await startWorker(
      { queue: redis().url, cropper: { engine: 'centre' } },
      { onMerged: (run) => merged.push(run) },
    );
    await expect.poll(() => merged).toEqual(['program']);
    await worker.close();
    await worker.ended;
    expect(journalOf(at('out')).size).toBe(3);
  });
});
