import { setMaxListeners } from 'node:events';
import { defined } from '../../base/defined.js';
import { codeOf, FramewrightError } from '../../base/errors.js';
import { checkOptions, type OptionKinds } from '../../base/options-check.js';
import { requestError, type BucketAccess } from './access.js';
import { downloadObject } from './download.js';
import { withoutQuotes, type BucketObject } from './bucket-object.js';
import { putObject } from './put-object.js';
import type { PutOptions, PutSource } from './put-source.js';
import { openObject } from './read-object.js';
import { loadSdk, openClient, sendMd5 } from './sdk.js';

export type { BucketObject, PutOptions, PutSource };

export interface BucketOptions {
  /** Address of an S3-compatible server. Default: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's; else AWS. */
  readonly endpoint?: string;
  /** Default: AWS_REGION, the profile's. */
  readonly region?: string;
  /** Whether the bucket stands in the path of addresses, not before the host. Default: where there is an endpoint. */
  readonly forcePathStyle?: boolean;
  /** Stops whatever is done with the bucket. */
  readonly signal?: AbortSignal;
}

interface Stoppable {
  readonly signal?: AbortSignal | undefined;
}

const BUCKET_OPTIONS: OptionKinds<BucketOptions> = {
  endpoint: 'text',
  region: 'text',
  forcePathStyle: 'boolean',
  signal: 'signal',
};

/** Of S3: objects a page of a list, and keys of one deletion. */
const PAGE = 1000;
/** What is read into memory at once: lists and settings, not photos. */
const MAX_READ_BYTES = 64 * 2 ** 20;

/**
 * Opens a bucket of AWS S3 or of a server that speaks its language, by the AWS SDK with its own chain of credentials.
 * Nothing is asked of the server yet.
 *
 * @throws FramewrightError USAGE, PACKAGE_NOT_FOUND where the AWS SDK is not installed
 */
export function openBucket(name: string, options: BucketOptions = {}): Promise<Bucket> {
  return Bucket.open(name, options);
}

/**
 * The objects of a bucket. Answers of an overloaded or failing server are asked for again by the SDK, five times in all;
 * what still fails is a FramewrightError, of which `isPassing` and `isForbidden` tell more.
 */
export class Bucket implements Disposable {
  readonly name: string;
  readonly #access: BucketAccess;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;

  private constructor(access: BucketAccess, signal: AbortSignal | undefined) {
    this.name = access.bucket;
    this.#access = access;
    this.#signal = both(this.#closing.signal, signal);
    // Every request that is running listens.
    setMaxListeners(0, this.#signal);
  }

  /** As openBucket. */
  static async open(name: string, options: BucketOptions): Promise<Bucket> {
    checkOptions('openBucket', options, BUCKET_OPTIONS);
    const { signal, ...where } = options;
    const sdk = await loadSdk();
    return new Bucket({ sdk, bucket: name, knowsConditions: true, ...(await openClient(sdk, where)) }, signal);
  }

  /**
   * The objects whose keys begin so, in the order of their keys, up to 1000 at a time: the next are asked for when they are
   * wanted.
   *
   * @throws FramewrightError INPUT_UNREADABLE, USAGE where there is no such bucket; the signal's reason
   */
  async *list(prefix: string, options: Stoppable = {}): AsyncGenerator<readonly BucketObject[], void, undefined> {
    const { sdk, client } = this.#access;
    const signal = this.#stopping(options);
    for (let token: string | undefined; ;) {
      const command = new sdk.s3.ListObjectsV2Command({
        Bucket: this.name,
        Prefix: prefix,
        MaxKeys: PAGE,
        // XML has no words for some characters that keys may have.
        EncodingType: 'url',
        ...defined({ ContinuationToken: token }),
      });
      const page = await client.send(command, { abortSignal: signal }).catch((thrown: unknown) => {
        throw requestError(this.#access, thrown, { doing: 'read', key: prefix }, signal);
      });
      const decode = page.EncodingType === 'url' ? decodeKey : (key: string) => key;
      const objects = (page.Contents ?? []).map(({ Key = '', Size = 0, ETag = '', LastModified }) => ({
        key: decode(Key),
        size: Size,
        etag: withoutQuotes(ETag),
        modifiedMs: LastModified?.getTime() ?? 0,
      }));
      if (objects.length > 0) yield objects;
      if (page.IsTruncated !== true) return;
      token = page.NextContinuationToken;
      if (token === undefined) {
        throw new FramewrightError('INPUT_UNREADABLE', `the list of s3://${this.name}/${prefix} ended before its end`);
      }
    }
  }

  /**
   * Brings an object to a file, with the object's time, piece by piece: whole, or not at all.
   *
   * @param options.ifMatch the ETag it was listed with; another object is refused as INPUT_UNREADABLE
   * @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE, OUTPUT_WRITE for the file, USAGE; the signal's reason
   */
  async download(
    key: string,
    file: string,
    options: Stoppable & { readonly ifMatch?: string | undefined } = {},
  ): Promise<BucketObject> {
    const { ifMatch } = options;
    return downloadObject(this.#access, key, file, { ifMatch, signal: this.#stopping(options) });
  }

  /**
   * All bytes of a small object.
   *
   * @returns undefined where there is none
   * @throws FramewrightError INPUT_UNREADABLE, INPUT_TOO_LARGE over 64 MiB, USAGE; the signal's reason
   */
  async read(key: string, options: Stoppable = {}): Promise<Buffer | undefined> {
    try {
      const signal = this.#stopping(options);
      const { body } = await openObject(this.#access, key, { maxBytes: MAX_READ_BYTES, signal });
      const pieces: Uint8Array[] = [];
      for await (const piece of body) pieces.push(piece);
      return Buffer.concat(pieces);
    } catch (thrown) {
      if (codeOf(thrown) === 'INPUT_NOT_FOUND') return undefined;
      throw thrown;
    }
  }

  /**
   * Stores an object, never over another one without `force`, however many write at once; see putObject for how.
   *
   * @returns `same` where these very bytes were there already
   * @throws FramewrightError OUTPUT_EXISTS, OUTPUT_LOCKED, OUTPUT_WRITE, USAGE; INPUT_NOT_FOUND, INPUT_UNREADABLE for a file that is
   *   stored; the signal's reason
   */
  async put(key: string, source: PutSource, options: PutOptions & Stoppable): Promise<'written' | 'same'> {
    return putObject(this.#access, key, source, options, this.#stopping(options));
  }

  /**
   * Removes objects; those that are not there count as removed.
   *
   * @throws FramewrightError OUTPUT_WRITE, USAGE; the signal's reason
   */
  async remove(keys: readonly string[], options: Stoppable = {}): Promise<void> {
    const signal = this.#stopping(options);
    for (let from = 0; from < keys.length; from += PAGE) {
      await this.#removePage(keys.slice(from, from + PAGE), signal);
    }
  }

  async #removePage(keys: readonly string[], signal: AbortSignal): Promise<void> {
    const { sdk, client } = this.#access;
    const command = new sdk.s3.DeleteObjectsCommand({
      Bucket: this.name,
      Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: true },
    });
    if (this.#access.endpoint !== undefined) sendMd5(command);
    const fail = (thrown: unknown, key: string): Error =>
      requestError(this.#access, thrown, { doing: 'write', key }, signal);
    const { Errors: errors = [] } = await client.send(command, { abortSignal: signal }).catch((thrown: unknown) => {
      throw fail(thrown, keys[0]!);
    });
    if (errors.length === 0) return;
    const [{ Key = '', Code = 'Error', Message = '' }] = errors as [(typeof errors)[number]];
    throw fail(Object.assign(new Error(Message), { name: Code }), Key);
  }

  /** Stops what is running (it rejects with DISPOSED) and closes the connections. Safe at any time, as often as one likes. */
  dispose(): void {
    this.#closing.abort(new FramewrightError('DISPOSED', `the bucket ${this.name} was closed; open it again`));
    this.#access.client.destroy();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #stopping({ signal }: Stoppable): AbortSignal {
    const stopping = both(this.#signal, signal);
    stopping.throwIfAborted();
    return stopping;
  }
}

function both(signal: AbortSignal, other: AbortSignal | undefined): AbortSignal {
  return other === undefined || other === signal ? signal : AbortSignal.any([signal, other]);
}

/** Servers write a space as `+` or `%20`, and `+` itself as `%2B`. */
function decodeKey(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '));
}
