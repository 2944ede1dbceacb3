// 60 mixed photos, 5 of them broken: a whole run gives 55 right files a ratio, 5 named errors and exit code 4. Then, many
// times over, a run is killed (SIGKILL) at a random moment, at times twice, and --resume must come to the same end:
// nothing lost, nothing half written, nothing done twice.
// `node bench/killed.mjs [--rounds 20] [--seed 1]` after `npm run build`; exits with 1 where a round differs.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { BROKEN, writeMixedPhotos } from './mixed-photos.mjs';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
});
const root = path.resolve(import.meta.dirname, '..');
const work = mkdtempSync(path.join(tmpdir(), 'framewright-killed-'));
const JOURNAL = '.framewright-journal.jsonl';

let state = Number(values.seed);
/** Park and Miller's minimal standard generator: 0 to 1, the same for the same seed. */
const random = () => (state = (state * 48271) % 2147483647) / 2147483647;

function run(out, { resume = false, killAfterMs } = {}) {
  return new Promise((resolve) => {
    const args = [
      '--engine',
      'full',
      '-a',
      '1:1',
      '-a',
      '4:5',
      '--json',
      '-o',
      out,
      'in',
      ...(resume ? ['--resume'] : []),
    ];
    const child = spawn(process.execPath, [path.join(root, 'dist', 'src', 'cli', 'main.js'), ...args], { cwd: work });
    const start = performance.now();
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => (stdout += text));
    child.stderr.on('data', (text) => (stderr += text));
    const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr, ms: performance.now() - start });
    });
  });
}

const folder = (name) => path.join(work, name);
/** File name to content and identity; a file written anew has another inode or time. */
function filesOf(name) {
  const files = {};
  for (const file of readdirSync(folder(name)).sort()) {
    if (file === JOURNAL) continue;
    const { ino, mtimeMs } = statSync(path.join(folder(name), file));
    const hash = createHash('sha256')
      .update(readFileSync(path.join(folder(name), file)))
      .digest('hex');
    files[file] = { hash, identity: `${ino} ${mtimeMs}` };
  }
  return files;
}
const hashesOf = (files) => JSON.stringify(Object.entries(files).map(([file, { hash }]) => [file, hash]));
/** Photos with a line that says they are done, as often as there is one. */
function doneIn(name) {
  const done = [];
  const file = path.join(folder(name), JOURNAL);
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''; // killed before the journal was made
  for (const line of text.split('\n')) {
    try {
      const [, record] = JSON.parse(line);
      if (record.what === 'done') done.push({ photo: record.photo, files: record.files.map((file) => file.path) });
    } catch {
      // torn by the kill
    }
  }
  return done;
}
/** What a program reading stdout sees, without times, folders, and the words of libvips, which vary with its threads. */
const linesOf = ({ stdout }) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { error, ...rest } = JSON.parse(line);
      return JSON.stringify({ ...rest, error: error?.code, timingsMs: undefined, output: undefined });
    });
const errorsOf = ({ stdout }) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ error }) => error)
    .map(({ photo, error }) => [path.basename(photo.path), error.code]);

const problems = [];
function check(round, what, isRight) {
  if (!isRight) problems.push(`round ${round}: ${what}`);
}

try {
  mkdirSync(folder('in'));
  await writeMixedPhotos(folder('in'), path.join(root, 'examples', 'photos', 'pagoda.jpg'));
  const whole = await run('whole');
  const expected = filesOf('whole');
  check(0, `exit code ${whole.code}, not 4`, whole.code === 4);
  check(0, `${Object.keys(expected).length} files, not 110`, Object.keys(expected).length === 110);
  check(0, 'errors differ', JSON.stringify(errorsOf(whole).sort()) === JSON.stringify(Object.entries(BROKEN).sort()));
  for (const [file] of Object.entries(expected)) {
    const { width, height } = await sharp(readFileSync(path.join(folder('whole'), file)), {
      failOn: 'warning',
    }).metadata();
    check(0, `${file} is ${width}x${height}`, file.includes('1x1') ? width === height : width * 5 === height * 4);
  }
  console.log(
    `whole run: ${Object.keys(expected).length} files of 55 photos, ${errorsOf(whole).length} named errors, exit code ${whole.code}, ${(whole.ms / 1000).toFixed(1)} s`,
  );

  for (let round = 1; round <= Number(values.rounds); round++) {
    const out = `round-${round}`;
    let nKilled = 0;
    let before = {};
    let doneBefore = [];
    for (let mostMs = whole.ms; nKilled === 0; mostMs /= 2) {
      rmSync(folder(out), { recursive: true, force: true }); // the kill came too late
      for (const resume of random() < 0.3 ? [false, true] : [false]) {
        const killed = await run(out, { resume, killAfterMs: random() * mostMs });
        if (killed.signal === 'SIGKILL') nKilled++;
        before = existsSync(folder(out)) ? filesOf(out) : {};
        doneBefore = doneIn(out);
        for (const [file, { hash }] of Object.entries(before)) {
          if (/\.(tmp|lock)$/.test(file)) continue;
          check(round, `${file} is not as it should be after the kill`, hash === expected[file]?.hash);
        }
      }
    }
    const resumed = await run(out, { resume: true });
    const after = filesOf(out);
    const done = doneIn(out).map(({ photo }) => photo);
    check(round, `exit code ${resumed.code}, not 4: ${resumed.stderr.slice(-300)}`, resumed.code === 4);
    check(round, 'other files than those of the whole run', hashesOf(after) === hashesOf(expected));
    const other = linesOf(resumed).find((line, i) => line !== linesOf(whole)[i]);
    check(round, `other JSON than that of the whole run: ${other}`, other === undefined);
    check(round, 'a photo done twice, or not at all', done.length === 55 && new Set(done).size === 55);
    for (const { files } of doneBefore) {
      for (const file of files) {
        check(round, `${file} was written again`, before[file]?.identity === after[file]?.identity);
      }
    }
    console.log(
      `round ${String(round).padStart(2)}: killed ${nKilled} times with ${doneBefore.length} of 55 photos done, ${problems.length} problems so far`,
    );
    rmSync(folder(out), { recursive: true });
  }
} finally {
  rmSync(work, { recursive: true });
}
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'the same end every time' : `${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
