import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { CropProcess } from '../../../src/fleet/work/crop-process.js';

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
