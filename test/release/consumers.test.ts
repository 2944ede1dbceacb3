import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packMain } from '../../scripts/release/stage.mjs';
import { projectDir } from '../build/sandbox.js';

let dir: string;
/** A project of a user's: the package as it is published, beside what npm would have put there. */
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'framewright-consumer-'));
  packMain(join(dir, 'packed'));
  const modules = join(dir, 'node_modules');
  mkdirSync(join(modules, '@types'), { recursive: true });
  cpSync(join(dir, 'packed/stage/framewright'), join(modules, 'framewright'), { recursive: true });
  for (const name of ['zod', 'sharp', '@img', 'smartcrop', 'tinyglobby', 'commander', '@types/node', 'undici-types'])
    symlinkSync(join(projectDir, 'node_modules', name), join(modules, name));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const USE = `
const options: CropOptions = { aspect: '4:5' };
export async function use(path: string): Promise<readonly [number, number]> {
  const cropper = await openCropper({ engine: 'centre' });
  const { crop }: CropResult = await cropper.crop(path, options);
  await cropper.dispose();
  const model = inspectGguf(await readGguf('node_modules/framewright/gguf/nano/nano.gguf'));
  return [crop.width, model.tensors.length];
}
`;
const IMPORTS = `import { openCropper, type CropOptions, type CropResult } from 'framewright';
import { inspectGguf, readGguf } from 'framewright/gguf';
`;
const LATE_IMPORTS = `import type { CropOptions, CropResult } from 'framewright' with { 'resolution-mode': 'import' };
const framewright = import('framewright');
const gguf = import('framewright/gguf');
const openCropper: (typeof import('framewright', { with: { 'resolution-mode': 'import' } }))['openCropper'] = async (o) =>
  (await framewright).openCropper(o);
const readGguf = async (path: string) => (await gguf).readGguf(path);
let inspectGguf!: (typeof import('framewright/gguf', { with: { 'resolution-mode': 'import' } }))['inspectGguf'];
void gguf.then((loaded) => (inspectGguf = loaded.inspectGguf));
`;

const { ModuleKind, ModuleResolutionKind } = ts;
interface Consumer {
  readonly file: string;
  readonly source: string;
  readonly options: ts.CompilerOptions;
}
const CONSUMERS: Readonly<Record<string, Consumer>> = {
  'moduleResolution node': {
    file: 'node10.ts',
    source: IMPORTS + USE,
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- users still have it
    options: { module: ModuleKind.CommonJS, moduleResolution: ModuleResolutionKind.Node10, ignoreDeprecations: '6.0' },
  },
  'node16, import': { file: 'node16.mts', source: IMPORTS + USE, options: { module: ModuleKind.Node16 } },
  'node16, import() from CommonJS': {
    file: 'node16.cts',
    source: LATE_IMPORTS + USE,
    options: { module: ModuleKind.Node16 },
  },
  'nodenext, import': { file: 'nodenext.mts', source: IMPORTS + USE, options: { module: ModuleKind.NodeNext } },
  'nodenext, require': { file: 'nodenext.cts', source: IMPORTS + USE, options: { module: ModuleKind.NodeNext } },
  bundler: {
    file: 'bundler.ts',
    source: IMPORTS + USE,
    options: { module: ModuleKind.ESNext, moduleResolution: ModuleResolutionKind.Bundler },
  },
};

/** Errors of a compilation, one line each; what it emits lies beside the source. */
function compile({ file, source, options }: Consumer, lib: readonly string[]): string[] {
  const path = join(dir, file);
  writeFileSync(path, source);
  const program = ts.createProgram([path], {
    target: ts.ScriptTarget.ES2022,
    strict: true,
    exactOptionalPropertyTypes: true,
    lib: lib.map((name) => `lib.${name}.d.ts`),
    types: ['node'],
    typeRoots: [join(dir, 'node_modules/@types')],
    skipLibCheck: false,
    ...options,
  });
  // The package's own types are checked as strictly as the consumer; those of Node, zod and the rest are not its concern.
  const isOurs = ({ fileName }: ts.SourceFile): boolean =>
    fileName.includes('/node_modules/framewright/') || fileName === path;
  const found = [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...program
      .getSourceFiles()
      .filter(isOurs)
      .flatMap((each) => [...program.getSyntacticDiagnostics(each), ...program.getSemanticDiagnostics(each)]),
    ...program.emit().diagnostics,
  ];
  return found.map(
    ({ file: where, messageText }) => `${where?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
  );
}

describe.each([
  ['without lib dom', ['es2022', 'esnext.disposable']],
  ['with lib dom', ['es2022', 'dom', 'dom.iterable', 'esnext.disposable']],
])('a TypeScript consumer %s', (_, lib) => {
  test.each(Object.entries(CONSUMERS))('finds the types: %s', { timeout: 300_000 }, (_name, consumer) => {
    expect(compile(consumer, lib)).toEqual([]);
  });
});

describe('a consumer', () => {
  const run = (file: string, code: string): unknown => {
    writeFileSync(join(dir, file), code);
    const photo = join(projectDir, 'examples/photos/dogs.jpg');
    return JSON.parse(
      execFileSync(process.execPath, [join(dir, file), photo], { cwd: dir, encoding: 'utf8' }),
    ) as unknown;
  };
  const print = `use(process.argv[2]).then((result) => console.log(JSON.stringify(result)));`;
  const cropped = [expect.any(Number), expect.any(Number)];

  test.each([
    ['nodenext.mts', 'run.mjs', `import { use } from './nodenext.mjs';\n${print}`],
    ['nodenext.cts', 'run.cjs', `const { use } = require('./nodenext.cjs');\n${print}`],
    ['node10.ts', 'run10.cjs', `const { use } = require('./node10.js');\n${print}`],
  ])('of %s runs as it was compiled', (_, file, code) => {
    expect(run(file, code)).toEqual(cropped);
  });
});

describe('a consumer without what only serving needs', () => {
  const photo = join(projectDir, 'examples/photos/dogs.jpg');
  const own = JSON.parse(readFileSync(join(projectDir, 'package.json'), 'utf8')) as {
    readonly peerDependencies: Readonly<Record<string, string>>;
  };
  const [fastify, multipart] = ['fastify', '@fastify/multipart'].map(
    (name) => `${name}@${own.peerDependencies[name]!}`,
  );
  const remedy = `npm install ${fastify!} "${multipart!}"`;
  // npm's mark of a project.
  const project = (): string => join(dir, 'package.json');
  beforeAll(() => writeFileSync(project(), '{}'));
  const main = (): string => join(dir, 'node_modules/framewright/dist/src/cli/main.js');
  const env = (): NodeJS.ProcessEnv => ({ ...process.env, XDG_DATA_HOME: join(dir, 'data') });
  const command = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [main(), ...args], { cwd: dir, encoding: 'utf8', env: env() });

  test('crops with the command', () => {
    const { status, stdout, stderr } = command('--engine', 'rules', '-a', '4:5', '-o', 'out', photo);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'out/dogs-4x5.jpg\n', stderr: '' });
    expect(existsSync(join(dir, 'out/dogs-4x5.jpg'))).toBe(true);
  });

  test('imports the library, whose servers say what to install and open nothing', () => {
    const folder = join(dir, 'photos');
    mkdirSync(folder);
    cpSync(photo, join(folder, 'dogs.jpg'));
    writeFileSync(
      join(dir, 'serve.mjs'),
      `import { openCropper, startServer, startStudio, startStudy } from 'framewright';
      const cropper = await openCropper({ engine: 'centre' });
      const folder = process.argv[2];
      const tried = [
        startServer({ cropper, port: 0 }),
        startStudio({ cropper, port: 0, folder }),
        startStudy({ cropper, port: 0, study: folder + '/study.json' }),
      ];
      const outcomes = await Promise.allSettled(tried);
      console.log(JSON.stringify(outcomes.map(({ reason }) => [reason?.name, reason?.code, reason?.message])));
      await cropper.dispose();`,
    );
    const said = execFileSync(process.execPath, [join(dir, 'serve.mjs'), folder], { cwd: dir, encoding: 'utf8' });
    const error = [
      'FramewrightError',
      'PACKAGE_NOT_FOUND',
      `a server needs packages that are not installed: ${remedy}`,
    ];
    expect(JSON.parse(said)).toEqual([error, error, error]);
    expect(readdirSync(folder)).toEqual(['dogs.jpg']);
  });

  test.each([['serve'], ['studio'], ['studio', '--study', 'study.json']])(
    'is told by %s what to install, before anything is opened',
    (...args) => {
      const { status, stdout, stderr } = command(...args, '--model', 'none.gguf');
      expect({ status, stdout, stderr }).toEqual({
        status: 1,
        stdout: '',
        stderr: `framewright: framewright ${args[0]} needs packages that are not installed: ${remedy} [PACKAGE_NOT_FOUND]\n`,
      });
      expect(existsSync(join(dir, 'data'))).toBe(false);
    },
  );

  test('that was installed for all projects is told to install them so', () => {
    rmSync(project());
    const { stderr } = command('serve');
    expect(stderr).toContain(`: ${remedy.replace('npm install', 'npm install --global')} [PACKAGE_NOT_FOUND]`);
  });

  test('serves once they are installed', async () => {
    mkdirSync(join(dir, 'node_modules/@fastify'));
    for (const name of ['fastify', '@fastify/multipart'])
      symlinkSync(join(projectDir, 'node_modules', name), join(dir, 'node_modules', name));
    const child = spawn(process.execPath, [main(), 'serve', '--engine', 'rules', '--port', '0'], {
      cwd: dir,
      env: env(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [link] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
      const { origin, searchParams } = new URL(link.trim());
      const answer = await fetch(`${origin}/v1/crop?aspect=4:5`, {
        method: 'POST',
        headers: { authorization: `Bearer ${searchParams.get('token')!}` },
        body: new Uint8Array(readFileSync(photo)),
      });
      const { crops } = (await answer.json()) as { crops: { crop: { width: number; height: number } }[] };
      expect(crops.map(({ crop }) => crop.width / crop.height)).toEqual([0.8]);
    } finally {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    }
  });
});
