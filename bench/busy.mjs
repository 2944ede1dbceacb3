// Photos a minute beside other work on the same machine: nothing, busy loops, and loops that come and go; with the number of
// threads left to the program, with one, and with one a core. In turns, each round after another, so that what else goes on
// meets all alike. `node bench/busy.mjs [--models nano,tiny,300m] [--loads "idle,one loop"]
// [--rounds 2] [--seconds 12]`.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openCropper } from '../dist/src/index.js';
import { machineNow, photosOf, writeResults } from './measuring.mjs';
import { writeModel } from './models.mjs';

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: 'nano,tiny,300m' },
    loads: { type: 'string', default: 'idle,one loop,two loops,comes and goes' },
    rounds: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '12' },
  },
});
const FOREVER = 'for (;;);';
const COMING_AND_GOING =
  'for (;;) { const end = Date.now() + 2000; while (Date.now() < end); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000); }';
const LOADS = {
  idle: [],
  'one loop': [FOREVER],
  'two loops': [FOREVER, FOREVER],
  'comes and goes': [COMING_AND_GOING],
};
const WAYS = { default: {}, 'one thread': { threads: 1 }, 'one a core': { threads: availableParallelism() } };

const photos = photosOf();
const machine = machineNow();

/** Photos a minute over at least the given time, counting the share of one that was under way at its end. */
async function measure(cropper, seconds) {
  const start = performance.now();
  const end = start + 1000 * seconds;
  let n = 0;
  while (performance.now() < end) {
    await cropper.crop(photos[n % photos.length]);
    n++;
  }
  return (60_000 * n) / (performance.now() - start);
}

const folder = mkdtempSync(path.join(tmpdir(), 'framewright-busy-'));
const rows = [];
try {
  for (const name of values.models.split(',')) {
    const model = name === 'nano' ? name : path.join(folder, name);
    if (name !== 'nano') await writeModel(model, name);
    for (const load of values.loads.split(',')) {
      const loops = LOADS[load];
      const children = loops.map((code) => spawn(process.execPath, ['-e', code], { stdio: 'ignore' }));
      try {
        const rates = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]));
        for (let round = 0; round < Number(values.rounds); round++)
          for (const [way, options] of Object.entries(WAYS)) {
            const cropper = await openCropper({ model, gpu: 'cpu', ...options });
            try {
              await cropper.crop(photos[0]);
              rates[way].push(await measure(cropper, Number(values.seconds)));
            } finally {
              await cropper.dispose();
            }
          }
        const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
        const [own, one, all] = Object.values(rates).map(mean);
        rows.push({
          model: name,
          load,
          default: own,
          oneThread: one,
          oneACore: all,
          toOneThread: own / one,
          toOneACore: own / all,
        });
        console.log(
          `${name.padEnd(6)} ${load.padEnd(15)} ${own.toFixed(1).padStart(7)} photos a minute, ${(own / one).toFixed(2)} of one thread (${one.toFixed(1)}), ` +
            `${(own / all).toFixed(2)} of one a core (${all.toFixed(1)})`,
        );
      } finally {
        for (const child of children) child.kill('SIGKILL');
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
writeResults('busy', { ...machine(), rows });
