import Module from 'node:module';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fleetStatus } from '../../src/index.js';
import { openBucket } from '../../src/fleet/bucket/bucket.js';

/** What `require.resolve` asks. */
const loader = Module as unknown as { _resolveFilename: (name: string, ...rest: unknown[]) => string };
const { _resolveFilename: resolve } = loader;

beforeAll(() => {
  loader._resolveFilename = (name, ...rest) => {
    if (/^(@aws-sdk\/|bullmq|ioredis)/.test(name)) {
      throw Object.assign(new Error(`Cannot find module ${name}`), { code: 'MODULE_NOT_FOUND' });
    }
    return resolve(name, ...rest);
  };
});
afterAll(() => {
  loader._resolveFilename = resolve;
});

test('without the packages of the queue, a fleet says what to install', async () => {
  await expect(fleetStatus({ queue: 'redis://127.0.0.1' })).rejects.toMatchObject({
    code: 'PACKAGE_NOT_FOUND',
    message: expect.stringMatching(/^a fleet needs packages .*: npm install bullmq@\S+ "ioredis@[^"]+"$/) as string,
  });
});

test('without the AWS SDK, a bucket does', async () => {
  await expect(openBucket('photos')).rejects.toMatchObject({
    code: 'PACKAGE_NOT_FOUND',
    message: expect.stringMatching(/: npm install @aws-sdk\/client-s3@\S+ @aws-sdk\/lib-storage@\S+$/) as string,
  });
});
