import { setTimeout } from 'node:timers/promises';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { bytesText } from '../../base/bytes-text.js';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { requestError, type BucketAccess } from './access.js';
import { cutShort, isPassing } from './bucket-errors.js';
import { withoutQuotes, type BucketObject } from './bucket-object.js';

export interface ReadOptions {
  /** Refuses an object whose ETag (without quotes) is another: it was replaced since it was listed. */
  readonly ifMatch?: string | undefined;
  /** Refuses a larger one before its bytes are fetched. */
  readonly maxBytes?: number | undefined;
  readonly signal: AbortSignal;
}

export interface OpenObject {
  readonly object: BucketObject;
  /** All its bytes, or an error. To be read to the end or left early by the loop that reads it: it holds a connection. */
  readonly body: AsyncGenerator<Uint8Array, void, undefined>;
}

/** How often the rest of one object is asked for after its connection was cut; the SDK asks again only for answers. */
const MAX_CUTS = 5;
const CUT_PAUSE_MS = 100;

type Answer = GetObjectCommandOutput & { readonly Body: NonNullable<GetObjectCommandOutput['Body']> };

/**
 * Asks for an object. Where its connection is cut on the way, only the rest is asked for, of the very same object.
 *
 * @throws FramewrightError INPUT_NOT_FOUND, INPUT_UNREADABLE, INPUT_TOO_LARGE, USAGE; the signal's reason
 */
export async function openObject(access: BucketAccess, key: string, options: ReadOptions): Promise<OpenObject> {
  const { ifMatch, maxBytes = Infinity, signal } = options;
  const place = `s3://${access.bucket}/${key}`;
  const answer = await ask(access, key, { ifMatch: ifMatch && `"${ifMatch}"`, from: 0, signal });
  const { ETag = '', ContentLength: size, LastModified } = answer;
  const give = (code: 'INPUT_UNREADABLE' | 'INPUT_TOO_LARGE', why: string): FramewrightError => {
    letGo(answer);
    return new FramewrightError(code, why);
  };
  if (size === undefined) throw give('INPUT_UNREADABLE', `cannot read ${place}: the server does not say its length`);
  if (size > maxBytes) {
    throw give('INPUT_TOO_LARGE', `${place} has ${bytesText(size)}, more than ${bytesText(maxBytes)}; move it away`);
  }
  const object = { key, size, etag: withoutQuotes(ETag), modifiedMs: LastModified?.getTime() ?? Date.now() };
  const rest = (from: number): Promise<Answer> => ask(access, key, { ifMatch: ETag || undefined, from, signal });
  const explain = (thrown: unknown): Error => requestError(access, thrown, { doing: 'read', key }, signal);
  return { object, body: wholeBody(answer, size, { rest, explain, signal }) };
}

interface Asked {
  readonly ifMatch: string | undefined;
  readonly from: number;
  readonly signal: AbortSignal;
}

async function ask(access: BucketAccess, key: string, { ifMatch, from, signal }: Asked): Promise<Answer> {
  const { sdk, client, bucket } = access;
  const range = from === 0 ? undefined : `bytes=${from}-`;
  const command = new sdk.s3.GetObjectCommand({
    Bucket: bucket,
    Key: key,
    ...defined({ IfMatch: ifMatch, Range: range }),
  });
  try {
    const answer = (await client.send(command, { abortSignal: signal })) as Answer;
    if (from === 0 || answer.ContentRange?.startsWith(`bytes ${from}-`) === true) return answer;
    letGo(answer);
    throw new Error(`asked for the bytes from ${from} on, the server answers with others`);
  } catch (thrown) {
    throw requestError(access, thrown, { doing: 'read', key }, signal);
  }
}

interface Resuming {
  readonly rest: (from: number) => Promise<Answer>;
  readonly explain: (thrown: unknown) => Error;
  readonly signal: AbortSignal;
}

async function* wholeBody(
  first: Answer,
  size: number,
  { rest, explain, signal }: Resuming,
): AsyncGenerator<Uint8Array, void, undefined> {
  let received = 0;
  let answer = first;
  for (let cuts = 0; ; cuts++) {
    try {
      for await (const piece of answer.Body as unknown as AsyncIterable<Uint8Array>) {
        received += piece.length;
        yield piece;
      }
      if (received === size) return;
      throw cutShort(received, size);
    } catch (thrown) {
      const isCut = received < size;
      // All is here: only its end was not told.
      if (received === size && isPassing(thrown)) return;
      // Not every stream between the socket and here hands on why it ended.
      if (signal.aborted || !isCut || cuts === MAX_CUTS) {
        throw explain(isCut && !isPassing(thrown) ? cutShort(received, size, thrown) : thrown);
      }
    }
    await setTimeout(CUT_PAUSE_MS * 2 ** cuts, undefined, { signal }).catch((thrown: unknown) => {
      throw explain(thrown);
    });
    answer = await rest(received);
  }
}

/** Of an answer whose body nobody reads; else its connection would stay open. */
function letGo({ Body: body }: Answer): void {
  (body as unknown as { destroy?: () => void }).destroy?.();
}
