import type { S3Client } from '@aws-sdk/client-s3';
import { bucketError, type BucketRequest } from './bucket-errors.js';
import type { Sdk } from './sdk.js';

/** An open bucket, as what reads and writes it sees it. */
export interface BucketAccess {
  readonly sdk: Sdk;
  readonly client: S3Client;
  readonly bucket: string;
  readonly endpoint: string | undefined;
  /** Whether the server is taken to know `If-None-Match` on writes; false once it has said that it does not. */
  knowsConditions: boolean;
}

/** The error of a request that failed; the signal's reason where it was given up. */
export function requestError(
  { bucket, endpoint }: BucketAccess,
  thrown: unknown,
  request: Pick<BucketRequest, 'doing' | 'key'>,
  signal: AbortSignal,
): Error {
  return signal.aborted ? (signal.reason as Error) : bucketError(thrown, { ...request, bucket, endpoint });
}
