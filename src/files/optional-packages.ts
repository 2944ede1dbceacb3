import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { FramewrightError } from '../base/errors.js';
import { globalFlag, packageFile } from './package-root.js';

/**
 * Optional peers of package.json by what they are for; who does not want that installs and loads none of them. Their ranges
 * there are wide, since npm refuses to install this package into an app that has another version for itself.
 */
export const OPTIONAL_PACKAGES = {
  server: ['fastify', '@fastify/multipart'],
  heic: ['libheif-js'],
  // All without native code: a detector with its weights in the package, and what it computes with.
  faces: ['@vladmandic/face-api', '@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'],
  fleet: ['bullmq', 'ioredis'],
  buckets: ['@aws-sdk/client-s3', '@aws-sdk/lib-storage'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type OptionalUse = keyof typeof OPTIONAL_PACKAGES;

export function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch (error) {
    // One that is there and has no such entry says so by another code.
    return (error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND';
  }
}

/** The line that installs them where this package is, in the versions package.json goes with. */
export function installLine(use: OptionalUse): string {
  const { peerDependencies } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as {
    readonly peerDependencies: Readonly<Record<string, string>>;
  };
  const words = OPTIONAL_PACKAGES[use].map((name) => `${name}@${peerDependencies[name]!}`);
  // A range of several parts is one word to a shell only in quotes.
  return [`npm install${globalFlag}`, ...words.map((word) => (/[ <>|]/.test(word) ? `"${word}"` : word))].join(' ');
}

/**
 * @param what what needs them, as the error begins
 * @throws FramewrightError PACKAGE_NOT_FOUND, with the line that installs them
 */
export function needPackages(use: OptionalUse, what: string): void {
  if (OPTIONAL_PACKAGES[use].every(isInstalled)) return;
  throw new FramewrightError('PACKAGE_NOT_FOUND', `${what} needs packages that are not installed: ${installLine(use)}`);
}
