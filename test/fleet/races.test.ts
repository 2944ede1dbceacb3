import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { projectFile } from '../support/photos.js';
import { describeWith } from '../support/system-tools.js';
import { connect } from '../../src/fleet/connect.js';
import { openQueue } from '../../src/fleet/queue.js';
import { RunStore } from '../../src/fleet/run/run-store.js';
import { journalOf, useFleet, written } from './fleet-folder.js';

const ENGINE = ['--engine', 'centre', '-a', '1:1'];
const FAULTS = { NODE_OPTIONS: `--require ${projectFile('test', 'support', 'fleet-faults.cjs')}` };

describeWith(['redis-server'], 'a fleet, of two things at one time,', () => {
  const { redis, at, photos, fleet, work, until, status } = useFleet();
  const submit = (run: string, ...more: readonly string[]) =>
    fleet('submit', at('in'), ...ENGINE, '-o', at('out'), '--run', run, ...more);

  test('retries what failed while photos are still put in, and does not take these for all', async () => {
    await photos(20, 'in');
    const submitting = submit('both', '--job-size', '1', '--most-waiting', '1');
    await expect.poll(async () => (await status('both').catch(() => undefined))?.nJobsOpen ?? 0).toBe(1);
    expect((await fleet('retry', 'both')).stderr).toContain('0 photos to try again');
    expect((await status('both')).state).toBe('submitting');
    await work();
    expect((await submitting).code).toBe(0);
    expect(await until('both', 'merged')).toMatchObject({ nPhotos: 20, nDone: 20, nJobsOpen: 0 });
    expect(journalOf(at('out')).size).toBe(20);
  });

  test('goes on where a run is submitted again while a worker ends its part of it, called off before', async () => {
    await photos(4, 'in');
    await submit('again');
    const held = { FRAMEWRIGHT_TEST_HOLD: 'p001', FRAMEWRIGHT_TEST_HOLD_UNTIL: at('go') };
    const worker = await work(undefined, { ...FAULTS, ...held });
    await expect.poll(async () => (await status('again')).workers[0]?.state).toBe('working');
    await fleet('cancel', 'again');
    await sleep(7000); // the worker looks every five seconds whether its run is cancelled
    expect((await submit('again')).code).toBe(0);
    writeFileSync(at('go'), '');
    expect(await until('again', 'merged')).toMatchObject({ nDone: 4, nFailed: 0 });
    expect(await worker.stop()).toBe(0);
  });

  test('tells of a run that nobody puts in any more, and goes on when it is submitted again', async () => {
    await photos(20, 'in');
    const flow = ['--job-size', '1', '--most-waiting', '2'];
    const args = ['fleet', 'submit', at('in'), ...ENGINE, '-o', at('out'), '--run', 'half', '--queue', redis().url];
    const submitter = spawn(process.execPath, [projectFile('dist', 'src', 'cli', 'main.js'), ...args, ...flow], {
      stdio: 'ignore',
    });
    await expect.poll(async () => (await status('half').catch(() => undefined))?.nJobsOpen ?? 0).toBe(2);
    // It says that it is there, longer than silence would be taken for its end.
    await sleep(20_000);
    expect((await status('half')).state).toBe('submitting');
    submitter.kill('SIGKILL');
    await expect.poll(async () => (await status('half')).state, { timeout: 60_000 }).toBe('abandoned');
    expect((await fleet('status')).stdout).toMatch(
      /half +half put in.*\nhalf is put in by nobody any more, before all of it was: the same fleet submit again goes on\n/,
    );
    await work();
    const waited = await fleet('status', 'half', '--wait');
    expect(waited.code).toBe(4);
    expect(waited.stderr).toContain('the same fleet submit again goes on');
    expect((await submit('half', ...flow)).code).toBe(0);
    expect(await until('half', 'merged')).toMatchObject({ nPhotos: 20, nDone: 20, nFailed: 0 });
  });

  test('puts in again what a power cut has taken back from the server, as long as it looks', async () => {
    await photos(4, 'in');
    await using connection = await connect(redis().url);
    const store = new RunStore(connection.redis);
    const submitting = submit('cut', '--job-size', '1');
    const isAllIn = async (): Promise<boolean> => (await store.stateOf('cut').catch(() => undefined)) === 'submitted';
    await expect.poll(isAllIn, { timeout: 60_000, interval: 20 }).toBe(true);
    // Its last second, in which it was told of all of them.
    const queue = openQueue(connection, (await store.spec('cut')).madeFor);
    await queue.drain();
    await connection.redis.hset('framewright:fleet:run:cut', { state: 'submitting' });
    expect(await submitting).toMatchObject({ code: 0 });
    expect(await store.stateOf('cut')).toBe('submitted');
    expect(await queue.getJobCountByTypes('waiting', 'prioritized')).toBe(4);
    await work();
    expect(await until('cut', 'merged')).toMatchObject({ nPhotos: 4, nDone: 4, nFailed: 0 });
  });

  test('has nothing to retry of a run that was called off', async () => {
    await photos(4, 'in');
    await submit('off');
    await fleet('cancel', 'off');
    const { code, stderr } = await fleet('retry', 'off');
    expect(code).toBe(2);
    expect(stderr).toMatch(/off was cancelled.*submit/);
    expect((await status('off')).state).toBe('cancelled');
  });

  test('ends a worker that is told to while the server of the queue is away', async () => {
    const idle = await work();
    await redis().kill();
    await expect.poll(idle.said).toContain("the queue's server is gone");
    expect(await idle.stop()).toBe(0);
    await redis().restart();
  });

  test('ends a worker after the photo in hand where the server is away, and another has its job later', async () => {
    await photos(4, 'in');
    const held = { FRAMEWRIGHT_TEST_HOLD: 'p001', FRAMEWRIGHT_TEST_HOLD_UNTIL: at('go') };
    const busy = await work(['--engine', 'centre', '--lock', '2'], { ...FAULTS, ...held });
    await submit('away');
    await expect.poll(async () => (await status('away')).workers[0]?.state).toBe('working');
    await redis().kill();
    const ended = once(busy.child, 'exit');
    busy.child.kill('SIGTERM');
    await expect.poll(busy.said).toContain('finishing the photo in hand');
    writeFileSync(at('go'), '');
    expect(await ended).toEqual([0, null]);
    await redis().restart();
    await work(['--engine', 'centre', '--lock', '1']);
    expect(await until('away', 'merged')).toMatchObject({ nDone: 4, nFailed: 0 });
  });

  test('passes over jobs of a run that was called off, where they are in the queue still', async () => {
    await photos(4, 'in');
    await submit('left', '--job-size', '1');
    await using connection = await connect(redis().url);
    const store = new RunStore(connection.redis);
    // As one that was killed before it had taken them out.
    await store.cancel('left');
    await work();
    const queue = openQueue(connection, (await store.spec('left')).madeFor);
    await expect.poll(() => queue.getJobCountByTypes('waiting', 'prioritized', 'active')).toBe(0);
    expect(written(at('out'))).toEqual({});
  });

  test('waits for the end of a run through a restart of the server', async () => {
    await photos(4, 'in');
    await submit('long');
    const waiting = fleet('status', 'long', '--wait');
    await sleep(2500);
    await redis().kill();
    await sleep(1500);
    await redis().restart();
    const worker = await work();
    expect(await waiting).toMatchObject({ code: 0 });
    expect(await worker.stop()).toBe(0);
  });
});
