import { register } from 'node:module';
import { expect, test } from 'vitest';
import { openBucket } from '../../../src/fleet/bucket/bucket.js';
import { rejection } from '../../photo/thrown.js';

/** As where nobody has installed the AWS SDK: Node finds none of it from now on, in this process. */
const without = `
export async function resolve(specifier, context, next) {
  if (!specifier.includes('@aws-sdk/')) return next(specifier, context);
  throw Object.assign(new Error('Cannot find package ' + specifier), { code: 'ERR_MODULE_NOT_FOUND' });
}`;

test('without the AWS SDK, a bucket says what to install', async () => {
  register(`data:text/javascript,${encodeURIComponent(without)}`);
  const error = await rejection(openBucket('photos'));
  expect(error.code).toBe('USAGE');
  expect(error.message).toBe(
    'photos in buckets need packages that are not installed: npm install @aws-sdk/client-s3 @aws-sdk/lib-storage',
  );
});
