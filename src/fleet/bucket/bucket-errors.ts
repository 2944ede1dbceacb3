import { defined } from '../../base/defined.js';
import { FramewrightError, messageOf } from '../../base/errors.js';

/** What was asked of a bucket when something was thrown. */
export interface BucketRequest {
  readonly doing: 'read' | 'write';
  readonly bucket: string;
  /** The key or prefix; left out where the whole bucket is meant. */
  readonly key?: string;
  /** Where the server is; undefined is AWS. */
  readonly endpoint: string | undefined;
}

/** The part of the SDK's errors gone by here: a ServiceException, or an error of Node's own sockets. */
interface Thrown {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly cause?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** Status 501 and 505 are the server's nature, the others its state. */
const PASSING_STATUS: readonly number[] = [429, 500, 502, 503, 504, 507, 509];
/** As the SDK has them (@smithy/core retry, service-error-classification), and S3's own. */
const PASSING_NAMES: readonly string[] = [
  'BandwidthLimitExceeded',
  'ConditionalRequestConflict',
  'InternalError',
  'OperationAborted',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServiceUnavailable',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TimeoutError',
  'TooManyRequestsException',
];
/** Of sockets and of the look-up of names; a disk has none of them. */
const NETWORK_CODES: readonly string[] = [
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ETIMEDOUT',
];
/** 403 too, but said of one object rather than of who asks. */
const ARCHIVED = 'InvalidObjectState';

/**
 * Whether what failed may go well later without anybody's doing: the server was overloaded or failing, or could not be
 * reached. Looks at what an error was caused by.
 */
export function isPassing(error: unknown): boolean {
  return causes(error).some(
    ({ name, code, $metadata }) =>
      PASSING_STATUS.includes($metadata?.httpStatusCode ?? 0) ||
      PASSING_NAMES.includes(name ?? '') ||
      NETWORK_CODES.includes(code ?? ''),
  );
}

/** Whether the server refused because of who asks. Looks at what an error was caused by. */
export function isForbidden(error: unknown): boolean {
  return causes(error).some(
    ({ name, $metadata }) =>
      name !== ARCHIVED &&
      (name === 'AccessDenied' || $metadata?.httpStatusCode === 401 || $metadata?.httpStatusCode === 403),
  );
}

/** The HTTP status an error was answered with; undefined where there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return causes(error).find(({ $metadata }) => $metadata?.httpStatusCode !== undefined)?.$metadata?.httpStatusCode;
}

/** The error as S3 names it. */
export function nameOf(error: unknown): string | undefined {
  return (error as Thrown | undefined)?.name;
}

/** The body of an answer came to an end before its length. */
export function cutShort(nBytes: number, size: number, cause?: unknown): Error {
  const error = new Error(`the connection ended after ${nBytes} of ${size} bytes`, { cause });
  return Object.assign(error, { code: 'ECONNRESET' });
}

/** What the SDK threw, as an error of ours that says what to do; one of ours as it is. */
export function bucketError(thrown: unknown, request: BucketRequest): FramewrightError {
  if (thrown instanceof FramewrightError) return thrown;
  const cause = withoutResponse(thrown);
  return unusable(thrown, request, cause) ?? (request.doing === 'read' ? unreadable : unwritable)(cause, request);
}

/** Errors of the SDK hold the connection with all that was sent over it, signatures too: nothing to keep, or to log. */
function withoutResponse(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || !('$response' in thrown)) return thrown;
  const { name, message, stack, cause, code, $metadata } = thrown as Error & Thrown;
  return Object.assign(new Error(message, { cause }), defined({ name, stack, code, $metadata }));
}

/** What is wrong for every request alike: the settings are. */
function unusable(thrown: unknown, { bucket, endpoint }: BucketRequest, cause: unknown): FramewrightError | undefined {
  const { name, message, $response } = thrown as Thrown;
  const usage = (what: string): FramewrightError => new FramewrightError('USAGE', what, { cause });
  const at = endpoint === undefined ? '' : ` at ${endpoint}`;
  if (name === 'NoSuchBucket') {
    return usage(`there is no bucket ${bucket}${at}: check its name, and AWS_ENDPOINT_URL_S3 for where it is`);
  }
  if (name === 'InvalidBucketName') return usage(`${bucket} is no name of a bucket${at}`);
  const region = $response?.headers?.['x-amz-bucket-region'];
  const isElsewhere = statusOf(thrown) === 301 || name === 'AuthorizationHeaderMalformed';
  if (isElsewhere && region !== undefined) {
    return usage(`the bucket ${bucket} is in the region ${region}: set AWS_REGION=${region}`);
  }
  if (/^Region is missing/i.test(message ?? '')) {
    return usage(
      `the region of the bucket ${bucket} is not known: set AWS_REGION (us-east-1 where the server has none)`,
    );
  }
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    return usage(
      `no credentials for the bucket ${bucket}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (${messageOf(thrown)})`,
    );
  }
  return undefined;
}

function unreadable(thrown: unknown, request: BucketRequest): FramewrightError {
  const place = placeOf(request);
  const status = statusOf(thrown);
  const failure = (what: string): FramewrightError =>
    new FramewrightError('INPUT_UNREADABLE', `cannot read ${place}: ${what}`, { cause: thrown });
  if (status === 404) return new FramewrightError('INPUT_NOT_FOUND', `there is no ${place}`, { cause: thrown });
  if (status === 412) return failure('it has changed since the bucket was listed; list it again');
  if (nameOf(thrown) === ARCHIVED) return failure('it lies in an archive; restore it first');
  const permissions = 's3:GetObject, and s3:ListBucket to be told what is not there';
  return failure(refusal(thrown, permissions) ?? trouble(thrown));
}

function unwritable(thrown: unknown, request: BucketRequest): FramewrightError {
  const what = refusal(thrown, 's3:PutObject, s3:AbortMultipartUpload and s3:DeleteObject') ?? trouble(thrown);
  return new FramewrightError('OUTPUT_WRITE', `cannot write ${placeOf(request)}: ${what}`, { cause: thrown });
}

/** Why the server refuses who asks; undefined where it does not. */
function refusal(thrown: unknown, permissions: string): string | undefined {
  switch (nameOf(thrown)) {
    case 'ExpiredToken':
    case 'ExpiredTokenException':
    case 'TokenRefreshRequired':
      return 'the credentials have expired; renew them';
    case 'InvalidAccessKeyId':
    case 'InvalidToken':
    case 'SignatureDoesNotMatch':
      return `the server does not know the credentials (${said(thrown)}); check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`;
    case 'RequestTimeTooSkewed':
      return "this machine's clock is wrong; set it";
    default:
      return isForbidden(thrown) ? `not allowed (${said(thrown)}); the credentials need ${permissions}` : undefined;
  }
}

function trouble(thrown: unknown): string {
  if (!isPassing(thrown)) return said(thrown);
  const attempts = (thrown as Thrown).$metadata?.attempts ?? 1;
  return `${said(thrown)}${attempts > 1 ? `, ${attempts} times` : ''}; try again later`;
}

/** `SlowDown: Please reduce your request rate`: the answer of a HEAD request has no words, only a status. */
function said(thrown: unknown): string {
  const { name, code, message } = thrown as Thrown;
  const status = statusOf(thrown);
  const word = name === undefined || ['Error', 'Unknown', 'UnknownError'].includes(name) ? code : name;
  const words = [word ?? (status === undefined ? undefined : `status ${status}`), message].filter(
    (text) => text !== undefined && text !== '' && text !== 'UnknownError',
  );
  return words.length === 2 && words[1]!.includes(words[0]!) ? words[1]! : words.join(': ');
}

function placeOf({ bucket, key = '' }: BucketRequest): string {
  return `s3://${bucket}/${key}`;
}

/** The error and what it was caused by; one that causes itself does not keep us. */
function causes(error: unknown): Thrown[] {
  const found: Thrown[] = [];
  for (
    let each = error;
    typeof each === 'object' && each !== null && found.length < 10;
    each = (each as Thrown).cause
  ) {
    found.push(each);
  }
  return found;
}
