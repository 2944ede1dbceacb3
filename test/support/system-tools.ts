import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, test } from 'vitest';
import { findProgram } from '../../native/install/toolchain.mjs';

/** Set to `required` where every tool is to be there (`.ci/run`): a missing one then fails its tests. */
const areRequired = process.env.FRAMEWRIGHT_TEST_TOOLS === 'required';

export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Programs of the system that tests use or compare with, and Debian's packages of them. */
const TOOLS = {
  exiftool: { isThere: () => says('exiftool', ['-ver'], /^\d+\.\d+/), debian: 'libimage-exiftool-perl' },
  ImageMagick: { isThere: () => findImageMagick() !== undefined, debian: 'imagemagick' },
  darktable: { isThere: () => says('darktable-cli', ['--version'], /darktable/), debian: 'darktable' },
  'heif-enc': { isThere: () => findProgram('heif-enc') !== undefined, debian: 'libheif-examples' },
  jpegtran: { isThere: () => findProgram('jpegtran') !== undefined, debian: 'libjpeg-turbo-progs' },
  chromium: { isThere: () => existsSync(CHROMIUM), debian: 'chromium' },
  'redis-server': { isThere: () => findProgram('redis-server') !== undefined, debian: 'redis-server' },
  openssl: { isThere: () => says('openssl', ['version'], /SSL/), debian: 'openssl' },
  bash: { isThere: () => findProgram('bash') !== undefined, debian: 'bash' },
  zsh: { isThere: () => findProgram('zsh') !== undefined, debian: 'zsh' },
  fish: { isThere: () => findProgram('fish') !== undefined, debian: 'fish' },
  script: { isThere: () => findProgram('script') !== undefined, debian: 'bsdutils' },
  prlimit: { isThere: () => findProgram('prlimit') !== undefined, debian: 'util-linux' },
  git: { isThere: () => findProgram('git') !== undefined, debian: 'git' },
  cc: { isThere: () => findProgram('cc') !== undefined, debian: 'gcc' },
} as const;
type Tool = keyof typeof TOOLS;

/** A `describe` that needs tools: where one is missing it is skipped and its title says why, or it fails; see above. */
export function describeWith(tools: readonly Tool[], title: string, body: () => void): void {
  const missing = missingOf(tools);
  if (missing.length === 0) describe(title, body);
  else if (areRequired) describe(title, () => test('has its tools', () => fail(missing)));
  else describe.skip(untested(title, missing), body);
}

/** A `test` that needs tools. */
export function testWith(tools: readonly Tool[], title: string, body: () => void | Promise<void>): void {
  const missing = missingOf(tools);
  if (missing.length === 0) test(title, body);
  else if (areRequired) test(title, () => fail(missing));
  else test.skip(untested(title, missing), body);
}

/**
 * Declares tests only where they can run at all: on one system, or with a right or a piece of hardware that no package
 * brings. Elsewhere a line says what is not tested.
 */
export function declareWhere(isPossible: boolean, what: string, needs: string, declare: () => void): void {
  if (isPossible) declare();
  else console.info(`not tested here: ${what} (needs ${needs})`);
}

function missingOf(tools: readonly Tool[]): Tool[] {
  return tools.filter((tool) => !TOOLS[tool].isThere());
}

function untested(title: string, missing: readonly Tool[]): string {
  return `${title} (not tested: needs ${missing.join(' and ')}, not installed)`;
}

function fail(missing: readonly Tool[]): never {
  const packages = missing.map((tool) => TOOLS[tool].debian).join(' ');
  throw new Error(`${missing.join(' and ')} not installed; on Debian: apt-get install ${packages}`);
}

export function exiftool(...args: readonly string[]): string {
  return run('exiftool', args).toString('utf8');
}

export function imageMagick(args: readonly string[], input?: Uint8Array): Buffer {
  return run(findImageMagick()!, args, input);
}

/**
 * A photo as darktable develops it, its sidecar taken in, as the format that the name says.
 * @param wanted settings for this once, as `write_sidecar_files=on import`
 */
export function darktable(photo: string, file: string, settings: string, ...wanted: readonly string[]): void {
  const given = wanted.flatMap((each) => ['--conf', each]);
  run('darktable-cli', [photo, file, '--core', '--configdir', settings, '--library', ':memory:', ...given]);
}

/** A HEIC of an image file, as heif-enc makes it. */
export function heifEnc(file: string, heic: string, ...options: readonly string[]): void {
  run('heif-enc', [...options, file, '-o', heic]);
}

/** What libheif's own program makes of a HEIC; the file's name says the format. */
export function heifConvert(heic: string, file: string): void {
  run('heif-convert', [heic, file]);
}

/** A JPEG of a pixel map (PPM), as libjpeg's own program makes it. */
export function cjpeg(map: Uint8Array, ...options: readonly string[]): Buffer {
  return run('cjpeg', options, map);
}

/** The pixel map that libjpeg's own program makes of a JPEG. */
export function djpeg(jpeg: Uint8Array, ...options: readonly string[]): Buffer {
  return run('djpeg', ['-pnm', ...options], jpeg);
}

function findImageMagick(): string | undefined {
  return ['magick', '/usr/bin/convert', 'convert'].find((name) => says(name, ['-version'], /ImageMagick/));
}

function says(command: string, args: readonly string[], expected: RegExp): boolean {
  const { stdout, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 });
  return !error && expected.test(stdout);
}

function run(command: string, args: readonly string[], input?: Uint8Array): Buffer {
  const { stdout, stderr, status, error } = spawnSync(command, args, {
    ...(input && { input }),
    maxBuffer: 256 * 1024 * 1024,
    timeout: 60_000,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr.toString()}`);
  return stdout;
}
