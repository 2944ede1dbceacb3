import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { fleetStatus } from '../../src/index.js';
import { framewright } from '../cli/run.js';
import { projectFile } from '../support/photos.js';
import { describeWith } from '../support/system-tools.js';
import { useFleet } from './fleet-folder.js';

const FAULTS = { NODE_OPTIONS: `--require ${projectFile('test', 'support', 'fleet-faults.cjs')}` };

describeWith(['redis-server'], 'an evaluation on workers', () => {
  const { redis, at, photos, work } = useFleet();
  const evaluate = (...more: readonly string[]) =>
    framewright(['eval', 'own', at('in'), '--engine', 'full,vlm', '--no-journal', '--json', ...more]);
  const labelled = async (): Promise<void> => {
    const files = await photos(4, 'in');
    const lines = files.map((_, i) => JSON.stringify({ photo: `p00${i}.jpg`, boxes: [[10, 5, 70, 65]] }));
    writeFileSync(at('in', 'labels.jsonl'), lines.join('\n'));
  };

  test('gives the figures of one machine, and shares the photos', async () => {
    await labelled();
    const here = await evaluate();
    expect(here.code).toBe(0);
    const [first, second] = [await work([]), await work([])];
    const there = await evaluate('--queue', redis().url);
    expect(there).toMatchObject({ code: 0 });
    expect(figures(there.stdout)).toEqual(figures(here.stdout));
    for (const worker of [first, second]) expect(await worker.stop()).toBe(0);
  });

  test('waits for another worker where the last one has died, and says so', async () => {
    await labelled();
    const held = { FRAMEWRIGHT_TEST_HOLD: 'p001', FRAMEWRIGHT_TEST_HOLD_UNTIL: at('never') };
    const worker = await work(['--lock', '2'], { ...FAULTS, ...held });
    const evaluating = evaluate('--queue', redis().url);
    await expect.poll(async () => (await fleetStatus({ queue: redis().url })).workers[0]?.state).toBe('working');
    worker.child.kill('SIGKILL');
    // Until it counts as gone, and that is seen.
    await sleep(25_000);
    await work(['--lock', '2']);
    const { code, stderr } = await evaluating;
    expect(code).toBe(0);
    expect(stderr.match(/no worker of this queue is for framewright \S+, vlm, nano any more/g)).toHaveLength(1);
  });

  test('needs a worker with that model, and says so', async () => {
    await labelled();
    const { code, stderr } = await evaluate('--queue', redis().url);
    expect(code).toBe(2);
    expect(stderr).toMatch(/no worker of this queue is for framewright \S+, vlm, nano: start framewright fleet work/);
  });

  test('has the errors of single photos, and of those that end the process that looks at them', async () => {
    await labelled();
    await work([], {
      ...FAULTS,
      FRAMEWRIGHT_TEST_POISON: 'p002',
    });
    const { code, stdout, stderr } = await evaluate('--queue', redis().url);
    expect(code).toBe(4);
    expect(stderr).toMatch(/p002\.jpg, vlm: the process that crops has ended \(SIGABRT\) \[WORKER_DIED\]/);
    expect((JSON.parse(stdout) as { errors: unknown[] }).errors).toHaveLength(1);
  });
});

/** What does not depend on how long it took. */
function figures(json: string): unknown {
  return JSON.parse(json, (key, value: unknown) => (/ms$/i.test(key) || key === 'createdAt' ? undefined : value));
}
