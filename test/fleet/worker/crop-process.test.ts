import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { CropProcess } from '../../../src/fleet/worker/crop-process.js';
import type { JobPhoto, RunSpec } from '../../../src/fleet/run/run-spec.js';
import { projectFile } from '../../support/photos.js';

test('a process that was killed while it had nothing to do is made anew for the next task', async () => {
  await using cropping = new CropProcess({ engine: 'centre' });
  await cropping.open();
  const killed = cropping.pid!;
  process.kill(killed, 'SIGKILL');
  while (isThere(killed)) await sleep(10);
  await sleep(50); // its end is told to this process a little later

  const answer = await cropping.carryOut({ do: 'open', cropper: { engine: 'centre' }, isVerbose: false });
  expect(answer.runsOn).toMatch(/CPU/);
  expect(cropping.pid).not.toBe(killed);
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('told to begin no more while it still opens its cropper, it begins none', async () => {
  await using cropping = new CropProcess({ engine: 'centre' });
  const folder = mkdtempSync(path.join(tmpdir(), 'framewright-crop-process-'));
  const photo = projectFile('examples', 'photos', 'dogs.jpg');
  const photos: JobPhoto[] = Array.from({ length: 30 }, (_, i) => ({
    planned: { input: photo, crops: [[path.join(folder, `${i}.jpg`)]], overlays: [] },
  }));
  const spec: RunSpec = {
    run: 'none',
    madeFor: { key: '0', words: 'this' },
    home: folder,
    roots: [path.dirname(photo)],
    output: folder + path.sep,
    wishes: {},
    opening: {},
  };
  const task = cropping.carryOut({ do: 'crop', spec, job: 'job', photos });
  cropping.beginNoMore();
  expect(await task).toEqual({ isStopped: true });
  expect(readdirSync(folder).filter((name) => name.endsWith('.jpg')).length).toBeLessThan(30);
  rmSync(folder, { recursive: true });
});
