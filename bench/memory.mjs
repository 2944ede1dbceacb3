// Resident memory of the command over many photos: does it grow with their number?
// `node bench/memory.mjs [--photos 300]` after `npm run build`; Linux.
import { spawn } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { machineNow, root, round, writeResults } from './measuring.mjs';

const { values } = parseArgs({ options: { photos: { type: 'string', default: '300' } } });
const nPhotos = Number(values.photos);
const machine = machineNow();
const examples = readdirSync(path.join(root, 'examples', 'photos')).filter((name) => name.endsWith('.jpg'));

// Beside the examples, so that photos can be linked rather than copied.
mkdirSync(path.join(root, 'build'), { recursive: true });
const folder = mkdtempSync(path.join(root, 'build', 'memory-'));
try {
  const photos = Array.from({ length: nPhotos }, (_, i) => {
    const name = examples[i % examples.length];
    const photo = path.join(folder, `${i}-${name}`);
    linkSync(path.join(root, 'examples', 'photos', name), photo);
    return photo;
  });
  await run(photos);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function run(photos) {
  const args = ['-a', '4:5', '--votes', '3', '--gpu', 'cpu', '--json', '-o', path.join(folder, 'out/')];
  const command = spawn(process.execPath, [path.join(root, 'dist', 'src', 'cli', 'main.js'), ...args, ...photos], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const residentMb = () =>
    Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${command.pid}/status`, 'utf8'))[1]) / 1e3;
  const resident = [];
  for await (const line of createInterface(command.stdout)) {
    JSON.parse(line);
    resident.push(residentMb());
    if (resident.length % 50 === 0) {
      console.log(`after ${String(resident.length).padStart(5)} crops: ${around(resident).toFixed(1)} MB resident`);
    }
  }
  if (resident.length !== nPhotos) throw new Error(`${resident.length} of ${nPhotos} photos were cropped`);
  const morePercent = round((100 * around(resident)) / around(resident.slice(0, 50)) - 100, 1);
  console.log(`at the end ${morePercent} % more than after the 50th`);
  writeResults('memory', { ...machine(), nPhotos, morePercent });
}

/** Median of the last five: a photo in the making holds some megabytes more or less. */
function around(megabytes) {
  return megabytes.slice(-5).toSorted((a, b) => a - b)[2];
}
