// Installs the packed project into an empty folder, as a user does, and runs it there: the command, the library, its
// types. Takes a minute or more, since the addon is compiled; needs the registry. Usage: npm run try:package
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packInto } from './pack.mjs';

const root = path.resolve(import.meta.dirname, '..');
const folder = mkdtempSync(path.join(tmpdir(), 'framewright-try-'));

function run(command, ...args) {
  console.log(`$ ${[command, ...args].join(' ')}`);
  const output = execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  console.log(output.trimEnd());
  return output;
}

function expect(isRight, what) {
  if (!isRight) throw new Error(`not as it should be: ${what}`);
}

try {
  const { tarball } = packInto(folder);
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'user', version: '1.0.0', type: 'module' }));
  run('npm', 'install', '--no-fund', '--no-audit', tarball);
  cpSync(path.join(root, 'examples', 'photos', 'dogs.jpg'), path.join(folder, 'dogs.jpg'));

  run('npx', 'framewright', '--version');
  run('npx', 'framewright', '--overlay', '--report', 'report.html', '-a', '4:5', 'dogs.jpg');
  const written = readdirSync(folder);
  for (const name of ['dogs-4x5.jpg', 'dogs-overlay.jpg', 'report.html']) expect(written.includes(name), name);
  const doctor = JSON.parse(run('npx', 'framewright', 'doctor', '--json'));
  expect(doctor.ok, 'what framewright doctor finds');

  writeFileSync(
    path.join(folder, 'use.ts'),
    `import { openCropper, type CropResult } from 'framewright';
import { inspectGguf, readGguf } from 'framewright/gguf';
const cropper = await openCropper({ engine: 'rules' });
const result: CropResult = await cropper.crop('dogs.jpg', { aspect: '1:1' });
await cropper.dispose();
const model = inspectGguf(await readGguf('node_modules/framewright/gguf/nano/nano.gguf'));
console.log(JSON.stringify({ width: result.crop.width, nTensors: model.tensors.length }));
`,
  );
  const { devDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const compilers = ['typescript', '@types/node'].map((name) => `${name}@${devDependencies[name]}`);
  run('npm', 'install', '--no-fund', '--no-audit', ...compilers);
  const tsc = path.join('node_modules', 'typescript', 'bin', 'tsc');
  run(
    process.execPath,
    tsc,
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--strict',
    '--types',
    'node',
    '--ignoreConfig',
    'use.ts',
  );
  const used = JSON.parse(run(process.execPath, 'use.js'));
  expect(used.width > 0 && used.nTensors > 0, 'what the library gives');
  expect(!existsSync(path.join(folder, 'node_modules', 'framewright', 'test')), 'no tests in the package');
  console.log('the package installs and runs');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
