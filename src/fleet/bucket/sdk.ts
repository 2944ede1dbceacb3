import { createHash } from 'node:crypto';
import type { DeleteObjectsCommand, S3Client } from '@aws-sdk/client-s3';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { needPackages } from '../../files/optional-packages.js';

/** First try included; the SDK waits longer each time. AWS_MAX_ATTEMPTS, where it is set, goes before. */
const MAX_ATTEMPTS = 5;
/** Without them the SDK waits for a server that says nothing for as long as the system keeps the connection. */
const CONNECT_MS = 10_000;
const SILENCE_MS = 60_000;

/** The AWS SDK, as far as it is used here. */
export interface Sdk {
  readonly s3: typeof import('@aws-sdk/client-s3');
  readonly Upload: (typeof import('@aws-sdk/lib-storage'))['Upload'];
}

/** @throws FramewrightError PACKAGE_NOT_FOUND where the packages are not installed */
export async function loadSdk(): Promise<Sdk> {
  needPackages('buckets', 'what lies in buckets');
  const [s3, { Upload }] = await Promise.all([import('@aws-sdk/client-s3'), import('@aws-sdk/lib-storage')]);
  return { s3, Upload };
}

export interface ClientOptions {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly forcePathStyle?: boolean | undefined;
}

/** Where requests go, for errors: undefined is AWS. */
export interface Client {
  readonly client: S3Client;
  readonly endpoint: string | undefined;
}

/**
 * Credentials, region and profile are found by the SDK's own chain. At an endpoint of one's own, buckets are taken to be
 * in the path, since few such servers have a name for each, and checksums beyond the signed SHA-256 are sent and asked for
 * only where S3 insists on them: many such servers refuse the headers.
 */
export async function openClient({ s3 }: Sdk, { endpoint, region, forcePathStyle }: ClientOptions): Promise<Client> {
  const elsewhere = endpoint ?? (await configuredEndpoint(new s3.S3Client({})));
  if (elsewhere !== undefined) checkEndpoint(elsewhere);
  const isElsewhere = elsewhere !== undefined;
  const { AWS_MAX_ATTEMPTS, AWS_REQUEST_CHECKSUM_CALCULATION, AWS_RESPONSE_CHECKSUM_VALIDATION } = process.env;
  const client = new s3.S3Client({
    ...defined({ endpoint, region }),
    ...(AWS_MAX_ATTEMPTS === undefined && { maxAttempts: MAX_ATTEMPTS }),
    ...(isElsewhere && !AWS_REQUEST_CHECKSUM_CALCULATION && { requestChecksumCalculation: 'WHEN_REQUIRED' as const }),
    ...(isElsewhere && !AWS_RESPONSE_CHECKSUM_VALIDATION && { responseChecksumValidation: 'WHEN_REQUIRED' as const }),
    forcePathStyle: forcePathStyle ?? isElsewhere,
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
  });
  return { client, endpoint: elsewhere };
}

/**
 * The endpoint of AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or the profile's `endpoint_url`, as the SDK itself finds it when it
 * sends (@smithy/core endpoints, resolveEndpointConfig). Its types leave that out.
 */
async function configuredEndpoint(client: S3Client): Promise<string | undefined> {
  const { serviceConfiguredEndpoint } = client.config as { serviceConfiguredEndpoint?: () => Promise<unknown> };
  client.destroy();
  const found = await serviceConfiguredEndpoint?.();
  return typeof found === 'string' ? found : undefined;
}

function checkEndpoint(endpoint: string): void {
  if (URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol)) return;
  throw new FramewrightError('USAGE', `${JSON.stringify(endpoint)} is no address of an S3 server: write https://host`);
}

/**
 * S3 wants the checksum of a deletion. The SDK of since 2025 sends one that not every server elsewhere knows, and no MD5,
 * which some insist on (OpenStack Swift 2.30 does).
 */
export function sendMd5(command: DeleteObjectsCommand): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const { body, headers } = args.request as { body: string | Uint8Array; headers: Record<string, string> };
      headers['content-md5'] = createHash('md5').update(body).digest('base64');
      return next(args);
    },
    { name: 'md5', step: 'build' },
  );
}
