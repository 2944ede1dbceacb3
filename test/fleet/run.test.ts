import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { framewright } from '../cli/run.js';
import { describeWith } from '../support/system-tools.js';
import { journalOf, useFleet, written } from './fleet-folder.js';

const ENGINE = ['--engine', 'centre', '-a', '1:1'];

describeWith(['redis-server'], 'a run of a fleet', () => {
  const { at, photos, fleet, work, until, status } = useFleet();

  test('on the model gives the files and the notes that one process gives', async () => {
    await photos(9, 'in');
    await photos(3, 'in', 'deeper', 'down');
    const alone = await framewright([at('in'), '--recursive', '-a', '4:5', '-o', at('alone')]);
    expect(alone.code).toBe(0);
    const submitted = await fleet(
      'submit',
      at('in'),
      '--recursive',
      '-a',
      '4:5',
      '-o',
      at('out'),
      '--run',
      'same',
      '--job-size',
      '4',
    );
    expect(submitted).toMatchObject({ code: 0, stdout: 'same\n' });
    expect(submitted.stderr).toContain('12 photos, 3 jobs');
    await work([]);
    await work([]);
    expect(await until('same', 'merged')).toMatchObject({ nPhotos: 12, nDone: 12, nFailed: 0, nJobsOpen: 0 });
    expect(Object.keys(written(at('out')))).toHaveLength(12);
    expect(written(at('out'))).toEqual(written(at('alone')));
    // Paths in it are as they are called from the folder: both lie beside `in`.
    expect(withoutOutputs(journalOf(at('out')), 'out')).toEqual(withoutOutputs(journalOf(at('alone')), 'alone'));
    expect(existsSync(at('out', '.framewright-fleet'))).toBe(false);
  });

  test('is gone on from by a run of one machine, with its report', async () => {
    await photos(3, 'in');
    await fleet('submit', at('in'), ...ENGINE, '-o', at('out'), '--run', 'report');
    await work();
    await until('report', 'merged');
    const { code, stderr } = await framewright([
      at('in'),
      ...ENGINE,
      '-o',
      at('out'),
      '--resume',
      '--report',
      at('r.html'),
    ]);
    expect(code).toBe(0);
    expect(stderr).toContain('3 of 3 photos were done earlier');
    expect(readFileSync(at('r.html'), 'utf8')).toContain('p002.jpg');
  });

  test('submitted again leaves out what is done, and takes what is new, was touched, or lost its crop', async () => {
    const [first, second] = await photos(5, 'in');
    const submit = () => fleet('submit', at('in'), ...ENGINE, '-o', at('out'), '--run', 'again', '--job-size', '2');
    await submit();
    await work();
    await until('again', 'merged');
    expect((await submit()).stderr).toContain('5 photos, of which 5 were done earlier, 0 jobs');
    expect(await until('again', 'merged')).toMatchObject({ nPhotos: 5, nDone: 5 });
    const before = written(at('out'));
    cpSync(first!, at('in', 'new.jpg'));
    utimesSync(second!, 1000, 1000);
    rmSync(at('out', 'p002-1x1.jpg'));
    expect((await submit()).stderr).toContain('6 photos, of which 3 were done earlier');
    const end = await until('again', 'merged');
    expect(end).toMatchObject({ nPhotos: 6, nFailed: 0, nDone: 6 });
    expect(written(at('out'))).toEqual({ ...before, 'new-1x1.jpg': before['p000-1x1.jpg'] });
  });

  test('writes over no file that is not its own, unless told to', async () => {
    const [first] = await photos(3, 'in');
    mkdirSync(at('out'));
    writeFileSync(at('out', 'p001-1x1.jpg'), 'mine');
    const submit = (...more: readonly string[]) => fleet('submit', at('in'), ...ENGINE, '-o', at('out'), ...more);
    await submit('--run', 'foreign');
    await work();
    expect(await until('foreign', 'merged')).toMatchObject({ nDone: 2, nFailed: 1, failures: { OUTPUT_EXISTS: 1 } });
    expect(readFileSync(at('out', 'p001-1x1.jpg'), 'utf8')).toBe('mine');
    // Changed since it was cropped.
    await sharp(first).negate().toFile(at('negative.jpg'));
    renameSync(at('negative.jpg'), first!);
    await submit('--run', 'foreign');
    expect(await until('foreign', 'merged')).toMatchObject({ nDone: 1, nFailed: 2 });
    await submit('--run', 'forced', '--force');
    expect(await until('forced', 'merged')).toMatchObject({ nDone: 3, nFailed: 0 });
  });

  test('waits for room where the queue is full, and ends all the same', async () => {
    await photos(30, 'in');
    const submitting = fleet(
      'submit',
      at('in'),
      ...ENGINE,
      '-o',
      at('out'),
      '--run',
      'full',
      '--job-size',
      '1',
      '--most-waiting',
      '5',
    );
    await expect.poll(async () => (await status('full').catch(() => undefined))?.nJobsOpen ?? 0).toBeGreaterThan(0);
    expect(await Promise.race([submitting, sleep(2000)])).toBeUndefined();
    expect(await status('full')).toMatchObject({ state: 'submitting', nJobsOpen: 5 });
    await work();
    expect((await submitting).code).toBe(0);
    expect(await until('full', 'merged')).toMatchObject({ nPhotos: 30, nDone: 30 });
  });

  test('of a list of paths, a pattern and files; sidecars go beside the photos', async () => {
    const files = await photos(4, 'in');
    writeFileSync(at('list.txt'), `# two of them\n${files[0]!}\n\n${files[1]!}\n`);
    writeFileSync(at('list.jsonl'), `{"path": ${JSON.stringify(files[2])}}\n`);
    await fleet('submit', at('list.txt'), at('list.jsonl'), at('in', '*3.jpg'), ...ENGINE, '--xmp', '--run', 'xmp');
    await work();
    expect(await until('xmp', 'merged')).toMatchObject({ nPhotos: 4, nDone: 4, nFailed: 0 });
    for (const file of files) expect(readFileSync(file.replace('.jpg', '.xmp'), 'utf8')).toContain('HasCrop');
    expect(existsSync(at('in', '.framewright-journal.jsonl'))).toBe(true);
  });

  test('has wishes of hints for single photos', async () => {
    const files = await photos(2, 'in');
    writeFileSync(at('hints.jsonl'), `{"path": ${JSON.stringify(files[1])}, "aspect": "3:1"}\n`);
    await fleet('submit', at('in'), ...ENGINE, '--hints', at('hints.jsonl'), '-o', at('out'), '--run', 'hints');
    await work();
    await until('hints', 'merged');
    expect(Object.keys(written(at('out')))).toEqual(['p000-1x1.jpg', 'p001-3x1.jpg']);
  });

  test('is shown as a table, as JSON and to Prometheus', async () => {
    await photos(2, 'in');
    await fleet('submit', at('in'), ...ENGINE, '-o', at('out'), '--run', 'shown', '--json');
    expect((await fleet('status', 'shown')).stdout).toMatch(/shown +no worker takes it +2 +0 +0\n/);
    const worker = await work();
    const waited = await fleet('status', 'shown', '--wait', '--json');
    expect(waited.code).toBe(0);
    expect(JSON.parse(waited.stdout)).toMatchObject({
      run: 'shown',
      state: 'merged',
      nDone: 2,
      photosPerSecond: expect.any(Number) as number,
    });
    const metrics = (await fleet('status', '--metrics')).stdout;
    expect(metrics).toContain('framewright_fleet_photos_done{run="shown"} 2\n');
    expect(metrics).toMatch(/framewright_fleet_worker_state\{worker="[^"]+",host="[^"]+",state="idle"\} 1\n/);
    expect(await worker.stop()).toBe(0);
    expect((await fleet('status')).stdout).toContain('no workers');
  });

  test('takes the more urgent run first', async () => {
    await photos(6, 'in');
    const submit = (run: string, priority: string) =>
      fleet('submit', at('in'), ...ENGINE, '-o', at(run), '--run', run, '--job-size', '2', '--priority', priority);
    await submit('later', '200');
    await submit('first', '5');
    const worker = await work();
    await until('later', 'merged');
    const said = worker.said();
    expect(said.lastIndexOf('first: 2 photos done')).toBeLessThan(said.indexOf('later: 2 photos done'));
    expect(said.indexOf('first: 2 photos done')).toBeGreaterThan(0);
  });
});

describeWith(['redis-server'], 'what a fleet refuses', () => {
  const { at, photos, fleet, work } = useFleet();
  const submit = (...args: readonly string[]) => fleet('submit', at('in'), ...ENGINE, ...args);

  test('is said before anything is put in', async () => {
    await photos(2, 'in');
    for (const [args, message] of [
      [[], /name it with --output/],
      [['-o', at('out'), '--name', '{index}'], /--name with \{index\} needs all photos counted/],
      [['-o', at('out'), '--run', 'a b'], /cannot be called "a b"/],
      [['-o', at('out'), '--job-size', '0'], /job-size is a whole number/],
      [['-o', at('out'), '--dry-run'], /unknown option '--dry-run'/],
      [['-o', at('out'), '--engine', 'none'], /rules/],
    ] as const) {
      const { code, stderr } = await submit(...args);
      expect(code, stderr).toBe(2);
      expect(stderr).toMatch(message);
    }
    expect(existsSync(at('out'))).toBe(false);
    const missing = await fleet('submit', at('none'), ...ENGINE, '-o', at('out'), '--run', 'none');
    expect(missing.stderr).toMatch(/there is no .*none; check the name \[INPUT_NOT_FOUND\]/);
  });

  test('two photos that would give one file, and a run of that name with other options', async () => {
    await photos(1, 'in', 'a');
    await photos(1, 'in', 'b');
    const clash = await submit('-o', at('out'), '--recursive', '--name', '{name}', '--run', 'clash');
    expect(clash.stderr).toMatch(/would both give .*p000\.jpg; use \{dir\}/);
    await submit('-o', at('out'), '--recursive', '--run', 'taken');
    const other = await submit('-o', at('out'), '--recursive', '--run', 'taken', '--strip');
    expect(other.stderr).toContain('there is a run taken with other options');
  });

  test('an address that is none, and a server that is not there', async () => {
    await photos(1, 'in');
    const at1 = await framewright(['fleet', 'status', '--queue', 'http://localhost']);
    expect(at1).toMatchObject({ code: 2 });
    expect(at1.stderr).toContain('is no address of a queue');
    const gone = await framewright([
      'fleet',
      'work',
      '--engine',
      'centre',
      '--queue',
      'redis://user:secret@127.0.0.1:1',
    ]);
    expect(gone.stderr).toMatch(/cannot reach the queue at redis:\/\/user@127\.0\.0\.1:1.*ECONNREFUSED/);
    expect(gone.stderr).not.toContain('secret');
  });

  test('a worker takes no run of another engine, and says so', async () => {
    await photos(1, 'in');
    await submit('-o', at('out'), '--run', 'others');
    const worker = await work(['--engine', 'full']);
    expect(worker.said()).toMatch(/the run others is for framewright \S+, centre: this worker takes none of it/);
    expect((await fleet('status', 'others')).stdout).toContain('no worker takes it');
    const noted = await submit('-o', at('out2'), '--run', 'others2');
    expect(noted.stderr).toMatch(/no worker takes this run yet.*the 1 there are take other runs/);
    expect((await fleet('status', 'nobody')).stderr).toContain('there is no run nobody in this queue; there are');
  });
});

/** Without the names of the folder they are in. */
function withoutOutputs(journal: ReadonlyMap<string, unknown>, folder: string): unknown {
  const text = JSON.stringify([...journal].sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.parse(text.replaceAll(`/${folder}/`, '/'));
}
