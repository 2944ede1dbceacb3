import { spawnSync } from 'node:child_process';

/** Programs of the system that tests compare with: where one is missing, these tests say so and are skipped. */
function isThere(command: string, args: readonly string[], says: RegExp): boolean {
  const { stdout, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 });
  return !error && says.test(stdout);
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

export const hasExiftool = isThere('exiftool', ['-ver'], /^\d+\.\d+/);

export function exiftool(...args: readonly string[]): string {
  return run('exiftool', args).toString('utf8');
}

const CONVERT = ['magick', '/usr/bin/convert', 'convert'].find((name) => isThere(name, ['-version'], /ImageMagick/));
export const hasImageMagick = CONVERT !== undefined;

export function imageMagick(args: readonly string[], input?: Uint8Array): Buffer {
  return run(CONVERT!, args, input);
}
