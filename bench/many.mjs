// 10,000 small photos through the command with the engine `full`, which leaves only the codec to be slow: how long finding
// the photos and finding what is done takes, whether memory grows, and how much of the CPU time is not the codec's.
// `node bench/many.mjs [--photos 10000]` after `npm run build`. Prints JSON.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { expandInputs } from '../dist/src/batch/inputs.js';
import { refuseExisting } from '../dist/src/batch/plan/existing-files.js';
import { planOutputs } from '../dist/src/batch/plan/plan-outputs.js';

const { values } = parseArgs({ options: { photos: { type: 'string', default: '10000' }, codec: { type: 'string' } } });
const nPhotos = Number(values.photos);
const root = path.resolve(import.meta.dirname, '..');
const SOURCES = ['dogs', 'pagoda', 'dandelion', 'mountains', 'dust-bowl-home'];

if (values.codec !== undefined) {
  await codecAlone(values.codec);
  process.exit();
}

/** The least that can be done with each photo: read, decode, encode, write to the disk under its name. Prints CPU ms. */
async function codecAlone(folder) {
  const start = process.cpuUsage();
  const { photos } = await expandInputs([path.join(folder, 'in')], true);
  mkdirSync(path.join(folder, 'codec'));
  for (const [i, photo] of photos.entries()) {
    const bytes = await sharp(photo)
      .autoOrient()
      .keepMetadata()
      .jpeg({ quality: 92, chromaSubsampling: '4:2:0' })
      .toBuffer();
    const file = path.join(folder, 'codec', `${i}.jpg`);
    const handle = await open(`${file}.tmp`, 'wx');
    await handle.writeFile(bytes);
    await handle.sync();
    await handle.close();
    await rename(`${file}.tmp`, file);
  }
  const { user, system } = process.cpuUsage(start);
  console.log(String((user + system) / 1000));
}

function run(work, ...more) {
  return new Promise((resolve) => {
    const args = ['--engine', 'full', '--recursive', '-o', 'out', 'in', ...more];
    const child = spawn(process.execPath, [path.join(root, 'dist', 'src', 'cli', 'main.js'), ...args], { cwd: work });
    const start = performance.now();
    const samples = [];
    let nLines = 0;
    let cpuMs = 0;
    let stderr = '';
    child.stdout.on('data', (chunk) => (nLines += chunk.toString().split('\n').length - 1));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    const timer = setInterval(() => {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        samples.push({
          nLines,
          seconds: (performance.now() - start) / 1000,
          megabytes: Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024,
        });
        const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
        cpuMs = 10 * (Number(fields[11]) + Number(fields[12])); // clock ticks of 10 ms
      } catch {
        // ended
      }
    }, 100);
    child.on('close', (code) => {
      clearInterval(timer);
      resolve({ code, nLines, seconds: (performance.now() - start) / 1000, cpuMs, samples, stderr });
    });
  });
}

async function measure(work) {
  const start = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 };
}

const round = (value) => Math.round(value * 1000) / 1000;
const work = mkdtempSync(path.join(tmpdir(), 'framewright-many-'));
try {
  const small = [];
  for (const name of SOURCES) {
    const file = path.join(work, `${name}.jpg`);
    await sharp(path.join(root, 'examples', 'photos', `${name}.jpg`))
      .resize(640, 640, { fit: 'inside' })
      .toFile(file);
    small.push(file);
  }
  for (let i = 0; i < nPhotos; i++) {
    const folder = path.join(work, 'in', String(i % 40).padStart(2, '0'));
    mkdirSync(folder, { recursive: true });
    copyFileSync(small[i % small.length], path.join(folder, `${String(i).padStart(6, '0')}.jpg`));
  }
  let found;
  const scan = await measure(async () => {
    found = await expandInputs([path.join(work, 'in')], true);
    const plan = await planOutputs(found.photos, () => [{}], {
      top: 1,
      overlay: false,
      xmp: false,
      output: path.join(work, 'out'),
    });
    await refuseExisting(plan, 'none');
  });
  const first = await run(work);
  const again = await run(work, '--resume');
  const codec = spawnSync(process.execPath, [import.meta.filename, '--codec', work], { encoding: 'utf8' });
  const at = (share) => {
    const sample = first.samples.find(({ nLines }) => nLines >= share * nPhotos) ?? first.samples.at(-1);
    return Math.round(sample.megabytes);
  };
  const most = (samples) => Math.round(Math.max(0, ...samples.map(({ megabytes }) => megabytes)));
  const beforeFirst = first.samples.filter(({ nLines }) => nLines === 0);
  console.log(
    JSON.stringify(
      {
        machine: `${cpus().length} x ${cpus()[0].model}`,
        nPhotos: found.photos.length,
        exitCodes: [first.code, again.code],
        nFiles: first.nLines,
        scan: { seconds: round(scan.seconds), cpuSeconds: round(scan.cpuSeconds) },
        beforeFirstCrop: { seconds: round(beforeFirst.at(-1).seconds), peakMegabytes: most(beforeFirst) },
        resume: {
          peakMegabytes: most(again.samples),
          seconds: round(again.seconds),
          cpuSeconds: round(again.cpuMs / 1000),
        },
        resumeSaid: again.stderr.trim(),
        runSeconds: round(first.seconds),
        photosASecond: round(nPhotos / first.seconds),
        residentMegabytes: { at10: at(0.1), at25: at(0.25), at50: at(0.5), at75: at(0.75), at100: at(1) },
        cpuSeconds: { run: round(first.cpuMs / 1000), codecAlone: round(Number(codec.stdout) / 1000) },
        codecShareOfCpu: round(Number(codec.stdout) / first.cpuMs),
      },
      null,
      2,
    ),
  );
} finally {
  rmSync(work, { recursive: true });
}
