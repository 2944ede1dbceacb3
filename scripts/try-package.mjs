// Installs the packed project into empty folders, as users do, and runs it there: with the package that brings the addon and
// nothing to compile it with; without either; and, asked for by --compile, compiling it, which takes a minute or more. Needs
// the registry. Usage: npm run try:package [-- --compile]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findProgram } from '../native/install/toolchain.mjs';
import { openRegistry } from './release/local-registry.mjs';
import { thisPlatform } from './release/platforms.mjs';
import { manifest, packAddon, packMain, root } from './release/stage.mjs';

/** On disk, with all it depends on but sharp. */
const MOST_BYTES = 72e6;

/** Recent versions of npm skip install scripts of packages that the project does not name; earlier ones run them all. */
const ALLOW_SCRIPTS = ['--dangerously-allow-all-scripts'];

const base = mkdtempSync(path.join(tmpdir(), 'framewright-try-'));
/** What a machine has that runs Node and compiles nothing. */
const PLAIN_PATH = toolFolder(['node', 'npm', 'npx', 'sh', 'env', 'uname', 'cat']);

try {
  const main = packMain(base);
  const addon = packAddon(base, thisPlatform());
  const full = await openRegistry([addon.tarball]);
  await withPrebuilt(main.tarball, full.url);
  await full.close();
  const empty = await openRegistry([]);
  await withoutAnything(main.tarball, empty.url);
  if (process.argv.includes('--compile')) await compiled(main.tarball, empty.url);
  await empty.close();
} finally {
  rmSync(base, { recursive: true, force: true });
}

/** The addon from its package, twice: the first time fills npm's cache. */
async function withPrebuilt(tarball, registry) {
  console.log('\n== with the package that brings the addon, and no cmake, make, g++ or python');
  const env = { PATH: PLAIN_PATH, 'npm_config_@framewright:registry': registry };
  await install(emptyProject('first'), tarball, env);
  const folder = emptyProject('prebuilt');
  const seconds = await install(folder, tarball, env);
  const bytes = diskBytes(path.join(folder, 'node_modules'));
  const sharpBytes = ['sharp', '@img'].map((name) => diskBytes(path.join(folder, 'node_modules', name)));
  const besideSharp = bytes - sharpBytes[0] - sharpBytes[1];
  console.log(
    `installed in ${seconds.toFixed(1)} s from a warm cache; ${megabytes(bytes)} MB on disk, ` +
      `${megabytes(besideSharp)} MB without sharp`,
  );
  expect(besideSharp < MOST_BYTES, `less than ${megabytes(MOST_BYTES)} MB on disk beside sharp`);
  expect(!existsSync(path.join(folder, 'node_modules', 'framewright', 'build')), 'nothing is compiled');
  const library = path.join(folder, 'node_modules', 'framewright');
  expect(
    !existsSync(path.join(library, 'test')) && !existsSync(path.join(library, 'training')),
    'no tests in the package',
  );

  const run = (...args) => npx(folder, env, args);
  await run('--version');
  await run('--overlay', '--report', 'report.html', '-a', '4:5', 'dogs.jpg');
  const written = readdirSync(folder);
  for (const name of ['dogs-4x5.jpg', 'dogs-overlay.jpg', 'report.html']) expect(written.includes(name), name);
  const doctor = JSON.parse((await run('doctor', '--json')).stdout);
  expect(doctor.ok, 'what framewright doctor finds');
  expect(JSON.stringify(doctor).includes('(prebuilt build)'), 'the addon is that of the package');
  await served(folder, env, bytes);
}

/** Serving takes packages of its own: the error names the line that installs them, which is run as it stands. */
async function served(folder, env, bytesBefore) {
  expect(!existsSync(path.join(folder, 'node_modules', 'fastify')), 'what only serving needs is not installed');
  const { status, stderr } = await npx(folder, env, ['serve', '--port', '0'], { mayFail: true });
  expect(status === 1, 'serving without its packages fails');
  const [line] = /npm install .*(?= \[PACKAGE_NOT_FOUND\])/.exec(stderr) ?? [];
  expect(line !== undefined, 'the error says what to install');
  await run(folder, env, 'sh', ['-c', `${line} --prefer-offline`]);
  const moreBytes = diskBytes(path.join(folder, 'node_modules')) - bytesBefore;
  console.log(`what serving needs: ${megabytes(moreBytes)} MB on disk`);
  const main = path.join(folder, 'node_modules', 'framewright', 'dist', 'src', 'cli', 'main.js');
  const child = spawn(process.execPath, [main, 'serve', '--port', '0'], { cwd: folder, stdio: ['ignore', 'pipe', 2] });
  try {
    const [link] = await Promise.race([
      once(child.stdout.setEncoding('utf8'), 'data'),
      once(child, 'exit').then(() => ['']),
    ]);
    expect(link !== '' && (await fetch(new URL('/readyz', link))).ok, 'it serves once they are installed');
  } finally {
    child.kill();
  }
}

/** Neither the addon's package nor a compiler. */
async function withoutAnything(tarball, registry) {
  console.log('\n== with neither the package that brings the addon nor a compiler');
  const env = { PATH: PLAIN_PATH, 'npm_config_@framewright:registry': registry };
  const folder = emptyProject('nothing');
  await install(folder, tarball, env, ALLOW_SCRIPTS);
  await npx(folder, env, ['--engine', 'rules', '-a', '4:5', 'dogs.jpg']);
  expect(existsSync(path.join(folder, 'dogs-4x5.jpg')), 'a crop by rules');
  const { status, stderr } = await npx(folder, env, ['-a', '1:1', 'dogs.jpg'], { mayFail: true });
  expect(status !== 0, 'without the addon no model runs');
  for (const part of [
    'CMake is not installed',
    'npm install @framewright/',
    'npm explore framewright -- npm run install',
  ])
    expect(stderr.includes(part), `the error says "${part}"`);
}

/** No package, and a compiler: the addon is made here. */
async function compiled(tarball, registry) {
  console.log('\n== without the package that brings the addon, and with a compiler');
  const env = { 'npm_config_@framewright:registry': registry };
  const folder = emptyProject('compiled');
  const seconds = await install(folder, tarball, env, ALLOW_SCRIPTS);
  console.log(
    `installed in ${seconds.toFixed(1)} s; ${megabytes(diskBytes(path.join(folder, 'node_modules')))} MB on disk`,
  );
  await npx(folder, env, ['-a', '4:5', 'dogs.jpg']);
  expect(existsSync(path.join(folder, 'dogs-4x5.jpg')), 'a crop by the model');
}

function emptyProject(name) {
  const folder = path.join(base, name);
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'user', version: '1.0.0', type: 'module' }));
  cpSync(path.join(root, 'examples', 'photos', 'dogs.jpg'), path.join(folder, 'dogs.jpg'));
  return folder;
}

/** @returns {Promise<number>} seconds */
async function install(folder, tarball, env, flags = []) {
  const startMs = performance.now();
  await run(folder, env, 'npm', ['install', '--no-fund', '--no-audit', '--prefer-offline', ...flags, tarball]);
  return (performance.now() - startMs) / 1000;
}

function npx(folder, env, args, options) {
  return run(folder, env, 'npx', ['framewright', ...args], options);
}

async function run(cwd, env, command, args, { mayFail = false } = {}) {
  console.log(`$ ${[command, ...args].join(' ')}`);
  const outer = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  const child = spawn(command, args, {
    cwd,
    env: { ...Object.fromEntries(outer), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const status = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (stdout.length < 2000) process.stdout.write(stdout);
  process.stdout.write(stderr);
  if (status !== 0 && !mayFail) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
  return { status, stdout, stderr };
}

function toolFolder(names) {
  const folder = path.join(base, 'tools');
  mkdirSync(folder);
  for (const name of names) {
    const program = findProgram(name);
    if (program) symlinkSync(program, path.join(folder, name));
  }
  return folder;
}

/** As `du` counts: blocks that are taken, a file with two names once. */
function diskBytes(folder) {
  const seen = new Set();
  let bytes = 0;
  for (const name of readdirSync(folder, { recursive: true })) {
    const { ino, blocks } = statSync(path.join(folder, name), { throwIfNoEntry: false }) ?? { ino: 0, blocks: 0 };
    if (!seen.has(ino)) bytes += blocks * 512;
    seen.add(ino);
  }
  return bytes;
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}

function expect(isRight, what) {
  if (!isRight) throw new Error(`not as it should be: ${what}`);
}
console.log(`\nframewright ${manifest.version} installs and runs`);
