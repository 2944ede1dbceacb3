import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import { defined } from '../../base/defined.js';
import { codeOf, FramewrightError } from '../../base/errors.js';
import { requestError, type BucketAccess } from './access.js';
import { isForbidden, nameOf, statusOf } from './bucket-errors.js';
import { contentOf, LARGEST_WHOLE, type Content, type PutOptions, type PutSource } from './put-source.js';
import { openObject } from './read-object.js';

/** How often a write is tried again that met another one. */
const MAX_CONFLICTS = 5;
const CONFLICT_PAUSE_MS = 100;
/** Of S3: parts of one upload. */
const MOST_PARTS = 10_000;
const PART_BYTES = 8 * 2 ** 20;
const PARTS_AT_ONCE = 4;

interface Write {
  readonly key: string;
  readonly content: Content;
  readonly options: PutOptions;
  readonly signal: AbortSignal;
}

/**
 * Stores an object. Without `force` the server is told to take it only where there is none (`If-None-Match: *`), so of
 * two that write at once one is refused, and then compares what is there with its own: by the SHA-256 kept with it, or by
 * the bytes where another program has stored it. Nothing is asked before a small object; before a large one, once, since
 * its bytes would be sent for nothing.
 *
 * With `ifMatch` the server is told to take it only in the place of the very object that was read (`If-Match`), so that of
 * two that change an object at once the second is refused.
 *
 * A server that answers 501 to conditions, as S3 did before 2024, is asked whether there is an object and then sent it:
 * of two that write at the same moment both may succeed there. So they may where the server looks only when a write begins
 * (OpenStack Swift 2.30 does), and where it passes over conditions in silence; nobody can tell.
 *
 * @returns `same` where these very bytes were there
 * @throws FramewrightError OUTPUT_EXISTS, OUTPUT_LOCKED where `ifMatch` fits no more, OUTPUT_WRITE, INPUT_NOT_FOUND,
 *   INPUT_UNREADABLE, USAGE; the signal's reason
 */
export async function putObject(
  access: BucketAccess,
  key: string,
  source: PutSource,
  options: PutOptions,
  signal: AbortSignal,
): Promise<'written' | 'same'> {
  const write: Write = { key, content: await contentOf(source, signal), options, signal };
  const { force = false, ifMatch } = options;
  for (let conflicts = 0; ; conflicts++) {
    const isConditional = !force && access.knowsConditions;
    if (!force && ifMatch === undefined && (!isConditional || !write.content.whole)) {
      const found = await lookAt(access, write);
      if (found === 'same') return found;
      if (found === 'other') throw taken(access, key, 'exists already');
      if (found === 'hidden' && !isConditional) throw taken(access, key, 'may exist, and needs s3:GetObject to tell');
    }
    const failure = await send(access, write, isConditional);
    if (failure === undefined) return 'written';
    if (isConditional && statusOf(failure.thrown) === 501) {
      access.knowsConditions = false;
    } else if ((isConditional && isRefused(failure.thrown, write)) || isGone(failure.thrown)) {
      const found = await lookAt(access, write);
      // Of an upload whose answer was lost, trying again says that it is none any more.
      if (found === 'same') return force ? 'written' : found;
      if (ifMatch !== undefined) throw changed(access, key);
      if (!force && found === 'other') throw taken(access, key, 'exists already');
      if (!force && found === 'hidden') throw taken(access, key, 'exists already, and needs s3:GetObject to compare');
    } else if (statusOf(failure.thrown) !== 409) {
      throw explain(access, failure.thrown, write);
    }
    if (conflicts === MAX_CONFLICTS) throw explain(access, failure.thrown, write);
    await pause(access, write, conflicts);
  }
}

/** The condition did not hold; some servers say 304, as for reading, and AWS 404 of an object to be replaced that is gone. */
function isRefused(thrown: unknown, { options }: Write): boolean {
  const status = statusOf(thrown);
  return status === 412 || status === 304 || (options.ifMatch !== undefined && nameOf(thrown) === 'NoSuchKey');
}

function isGone(thrown: unknown): boolean {
  return nameOf(thrown) === 'NoSuchUpload';
}

/** Undefined where it went well. */
async function send(
  access: BucketAccess,
  write: Write,
  isConditional: boolean,
): Promise<{ readonly thrown: unknown } | undefined> {
  const { content, options, signal } = write;
  const { sdk, client } = access;
  const input = {
    Bucket: access.bucket,
    Key: write.key,
    Metadata: { sha256: options.sha256 },
    ...defined({ ContentType: options.contentType }),
    ...(isConditional && (options.ifMatch === undefined ? { IfNoneMatch: '*' } : { IfMatch: `"${options.ifMatch}"` })),
  } satisfies PutObjectCommandInput;
  try {
    if (content.whole) {
      await client.send(new sdk.s3.PutObjectCommand({ ...input, Body: content.whole }), { abortSignal: signal });
    } else {
      await new sdk.Upload({
        client: heeding(access, signal),
        params: { ...input, Body: content.open(), ContentLength: content.size },
        partSize: Math.max(PART_BYTES, Math.ceil(content.size / MOST_PARTS)),
        queueSize: PARTS_AT_ONCE,
      }).done();
    }
    return undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    return { thrown };
  }
}

/**
 * The client for an upload that ends as soon as the signal aborts, but not before its parts are taken back: the upload's
 * own way to abort lets its parts go on and nobody know when they are gone.
 */
function heeding({ sdk: { s3 }, client }: BucketAccess, signal: AbortSignal): S3Client {
  const send = (command: Parameters<S3Client['send']>[0]): Promise<unknown> => {
    const isFrame =
      command instanceof s3.CreateMultipartUploadCommand || command instanceof s3.AbortMultipartUploadCommand;
    return client.send(command, isFrame ? {} : { abortSignal: signal });
  };
  return Object.create(client, { send: { value: send } }) as S3Client;
}

/** What has the key; `hidden` where these credentials may not see. */
type Found = 'none' | 'same' | 'other' | 'hidden';

async function lookAt(access: BucketAccess, write: Write): Promise<Found> {
  const { key, content, options, signal } = write;
  const { sdk, client, bucket } = access;
  try {
    const command = new sdk.s3.HeadObjectCommand({ Bucket: bucket, Key: key });
    const { ContentLength, Metadata } = await client.send(command, { abortSignal: signal });
    if (ContentLength !== content.size) return 'other';
    const stored = Metadata?.sha256;
    if (stored !== undefined) return stored === options.sha256 ? 'same' : 'other';
  } catch (thrown) {
    if (statusOf(thrown) === 404) return 'none';
    if (isForbidden(thrown)) return 'hidden';
    throw explain(access, thrown, write);
  }
  return content.size > LARGEST_WHOLE ? 'other' : compareBytes(access, write);
}

/** With an object that another program has stored. */
async function compareBytes(access: BucketAccess, { key, options, signal }: Write): Promise<Found> {
  try {
    const { body } = await openObject(access, key, { maxBytes: LARGEST_WHOLE, signal });
    const hash = createHash('sha256');
    for await (const piece of body) hash.update(piece);
    return hash.digest('hex') === options.sha256 ? 'same' : 'other';
  } catch (thrown) {
    if (codeOf(thrown) === 'INPUT_NOT_FOUND') return 'none';
    if (isForbidden(thrown)) return 'hidden';
    throw thrown;
  }
}

function taken({ bucket }: BucketAccess, key: string, what: string): FramewrightError {
  return new FramewrightError('OUTPUT_EXISTS', `s3://${bucket}/${key} ${what}: use --force to replace it`);
}

function changed({ bucket }: BucketAccess, key: string): FramewrightError {
  return new FramewrightError(
    'OUTPUT_LOCKED',
    `s3://${bucket}/${key} was changed by another run meanwhile: read it again`,
  );
}

async function pause(access: BucketAccess, write: Write, conflicts: number): Promise<void> {
  const { signal } = write;
  // Two that met shall not meet again.
  const ms = CONFLICT_PAUSE_MS * 2 ** conflicts * (0.5 + Math.random());
  await setTimeout(ms, undefined, { signal }).catch((thrown: unknown) => {
    throw explain(access, thrown, write);
  });
}

function explain(access: BucketAccess, thrown: unknown, { key, signal }: Write): Error {
  return requestError(access, thrown, { doing: 'write', key }, signal);
}
