import { FramewrightError } from '../../base/errors.js';
import { shortened } from '../../base/options-check.js';

/** A bucket and what the keys meant in it begin with. */
export interface BucketPlace {
  readonly bucket: string;
  /** As it is written: keys are no paths, so nothing in it is decoded or tidied. Empty for the whole bucket. */
  readonly prefix: string;
}

const EXAMPLE = 'write s3://bucket or s3://bucket/some/prefix';
/** What AWS allows for general purpose buckets, docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html. */
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const IP_ADDRESS = /^\d+\.\d+\.\d+\.\d+$/;

/** Whether a text means a bucket, well written or not: `s3:/photos` shall be told apart from a folder of that name. */
export function isBucketUrl(text: string): boolean {
  return /^s3:/i.test(text);
}

/** @throws FramewrightError USAGE */
export function parseBucketUrl(url: string): BucketPlace {
  const refuse = (why: string): FramewrightError =>
    new FramewrightError('USAGE', `${shortened(url)} names no place in a bucket: ${why}; ${EXAMPLE}`);
  const [, slashes, bucket, prefix] = /^s3:(\/*)([^/]*)\/?(.*)$/is.exec(url) ?? [];
  if (slashes === undefined) throw refuse('it does not begin with s3://');
  if (slashes.length < 2) throw refuse('two slashes follow s3: (a folder of that name is ./s3:)');
  if (slashes.length > 2 || bucket === '') throw refuse('the name of the bucket is missing');
  if (url.includes('?')) throw refuse('it has a query (?), which nothing here takes');
  checkBucketName(bucket!, refuse);
  return { bucket: bucket!, prefix: prefix! };
}

function checkBucketName(name: string, refuse: (why: string) => FramewrightError): void {
  if (BUCKET_NAME.test(name) && !name.includes('..') && !IP_ADDRESS.test(name)) return;
  throw refuse(
    `a bucket's name has 3 to 63 lowercase letters, digits, dots and hyphens, not ${JSON.stringify(shortened(name))}`,
  );
}
