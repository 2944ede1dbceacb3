import { setTimeout } from 'node:timers/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { httpGet, type HttpAnswer } from './http.js';

/** Where a file comes from, and how patient to be. */
export interface Server {
  readonly url: string;
  readonly token: string | undefined;
  readonly retryMs: number;
  readonly idleMs: number;
  /** Over which a connection must bring `LEAST_BYTES_PER_S`. */
  readonly paceMs: number;
  readonly signal: AbortSignal | undefined;
  /** Told in words when it has failed and is asked again. */
  readonly onRetry?: (what: string) => void;
}

/** What a server says of a file. */
export interface Probed {
  /** 0 where it does not say. */
  readonly totalBytes: number;
  /** Tells this file from a later one: its ETag, else its date; empty where the server gives neither. */
  readonly validator: string;
  /** As Hugging Face publishes it for large files. */
  readonly sha256: string | undefined;
  readonly takesRanges: boolean;
}

/** The server has another file now than when the download began. */
export class FileChanged extends Error {
  override readonly name = 'FileChanged';
}

/** Of one connection: a file of a gigabyte would take three weeks. */
export const LEAST_BYTES_PER_S = 512;
/** What a connection must have brought for a later failure to be the first one again; less is a trickle. */
const LEAST_BYTES = 16_384;

/** Failures in a row, without a stretch of the file between them, after which a server is given up. */
const MOST_FAILURES = 8;
const LONGEST_WAIT_MS = 30_000;
/** A server may ask for more patience than this; nobody at a terminal has it. */
const LONGEST_RETRY_AFTER_MS = 120_000;

/**
 * Counts failures in a row, and waits longer each time. Connections of one download have one each, as peers: what
 * drops them all at once is one failure, not as many as there are connections.
 */
export class Patience {
  #failures = 0;
  /** Since the last failure that counts anew. */
  #received = 0;
  readonly #server: Server;
  readonly #peers: Set<Patience>;

  /** Joins its peers: they are at their end when all of them are. */
  constructor(server: Server, peers = new Set<Patience>()) {
    this.#server = server;
    this.#peers = peers.add(this);
  }

  /** Something came: when it is enough, the next failure is the first one again, for all its peers. */
  renew(nBytes: number): void {
    this.#received += nBytes;
    if (this.#received < LEAST_BYTES) return;
    this.#received = 0;
    for (const each of this.#peers) each.#failures = 0;
  }

  /** Has no more to wait for. */
  leave(): void {
    this.#peers.delete(this);
  }

  /** @throws FramewrightError DOWNLOAD when there were too many; the signal's reason */
  async after(failure: unknown): Promise<void> {
    const { url, retryMs, signal } = this.#server;
    signal?.throwIfAborted();
    this.#failures++;
    if ([...this.#peers].every((each) => each.#failures >= MOST_FAILURES)) {
      throw new FramewrightError(
        'DOWNLOAD',
        `${url} failed ${this.#failures} times in a row: ${messageOf(failure)}; what came is kept, run it again to go on`,
        { cause: failure },
      );
    }
    const asked = failure instanceof TryLater ? failure.afterMs : undefined;
    const waitMs = asked ?? Math.min(LONGEST_WAIT_MS, retryMs * 2 ** (this.#failures - 1));
    this.#server.onRetry?.(
      `${new URL(url).host} failed (${messageOf(failure)}); attempt ${this.#failures + 1} of ${MOST_FAILURES} in ${(waitMs / 1000).toFixed(1)} s`,
    );
    await setTimeout(waitMs, undefined, signal ? { signal } : {}).catch(() => undefined);
    signal?.throwIfAborted();
  }
}

/** Watches what one connection brings: `idleMs` ends one that is silent, this one that trickles. */
export class Pace {
  readonly #server: Server;
  #since = performance.now();
  #received = 0;

  constructor(server: Server) {
    this.#server = server;
  }

  /** @throws FramewrightError DOWNLOAD for less than `LEAST_BYTES_PER_S` over `paceMs` */
  add(nBytes: number): void {
    this.#received += nBytes;
    const seconds = (performance.now() - this.#since) / 1000;
    const { url, paceMs } = this.#server;
    if (seconds * 1000 < paceMs) return;
    if (this.#received < LEAST_BYTES_PER_S * seconds) {
      throw new FramewrightError(
        'DOWNLOAD',
        `${url} sends less than ${LEAST_BYTES_PER_S} bytes a second (${this.#received} in ${seconds.toFixed(1)} s); what ` +
          'came is kept: run it again, or use another mirror',
      );
    }
    this.#since = performance.now();
    this.#received = 0;
  }
}

/** An answer that may be better next time. */
class TryLater extends Error {
  readonly afterMs: number | undefined;

  constructor(message: string, afterMs: number | undefined) {
    super(message);
    this.afterMs = afterMs;
  }
}

/** Asks for the first byte, which tells everything: HEAD is answered differently, or not at all, by some. */
export async function probe(server: Server): Promise<Probed> {
  const patience = new Patience(server);
  for (;;) {
    try {
      const answer = await get(server, { range: 'bytes=0-0' });
      answer.body.destroy();
      if (answer.status === 416) return { totalBytes: 0, validator: '', sha256: undefined, takesRanges: false };
      return readProbe(answer);
    } catch (error) {
      if (error instanceof FramewrightError) throw error;
      await patience.after(error);
    }
  }
}

function readProbe({ status, headers, trail }: HttpAnswer): Probed {
  const whole = status === 206 ? contentRange(headers)?.total : Number(headers['content-length'] ?? 0);
  const linked = trail.map((each) => unquoted(each['x-linked-etag'])).find((text) => SHA256.test(text));
  return {
    totalBytes: Number.isSafeInteger(whole) ? whole! : 0,
    validator: validatorOf(headers),
    sha256: linked,
    takesRanges: status === 206,
  };
}

const SHA256 = /^[0-9a-f]{64}$/;

function unquoted(value: string | readonly string[] | undefined): string {
  return String(value ?? '').replaceAll('"', '');
}

/** What If-Range takes. A weak ETag does not tell every byte, and is refused there. */
export function validatorOf({ etag = '', 'last-modified': date = '' }: IncomingHttpHeaders): string {
  return etag === '' || etag.startsWith('W/') ? date : etag;
}

/** `bytes 0-0/1234` */
export function contentRange({
  'content-range': value = '',
}: IncomingHttpHeaders): { readonly from: number; readonly to: number; readonly total: number } | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(value);
  return match ? { from: Number(match[1]), to: Number(match[2]) + 1, total: Number(match[3]) } : undefined;
}

/**
 * GET with what cannot be mended turned into an error that says what to do, and what can into one to be tried again.
 * Answers 200, 206 and 416 come back.
 */
export async function get(server: Server, headers: Readonly<Record<string, string>>): Promise<HttpAnswer> {
  const { url, token, idleMs, signal } = server;
  const answer = await httpGet(url, { headers, token, idleMs, signal }).catch((error: unknown) => {
    throw isOfCertificate(error) ? untrusted(url, error) : error;
  });
  const { status } = answer;
  if (status === 200 || status === 206 || status === 416) return answer;
  answer.body.destroy();
  if (status === 429 || status === 408 || status >= 500)
    throw new TryLater(`the server answered ${status}`, retryAfterMs(answer.headers));
  throw new FramewrightError('DOWNLOAD', `${url} answered ${status}: ${remedyFor(status, token)}`);
}

/** Node's codes for a certificate it does not take: OpenSSL's X509_V_ERR_* without that, and its own for the host's name. */
const CERTIFICATE_CODE = /CERT|^UNABLE_TO_|^INVALID_CA$|^PATH_LENGTH_EXCEEDED$/;

function isOfCertificate(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && CERTIFICATE_CODE.test(String(error.code));
}

function untrusted(url: string, cause: Error): FramewrightError {
  const remedy =
    'behind a proxy that looks into connections, set NODE_EXTRA_CA_CERTS to a file with its authority (PEM)';
  return new FramewrightError('DOWNLOAD', `${url} is not trusted: ${cause.message}; ${remedy}`, { cause });
}

function remedyFor(status: number, token: string | undefined): string {
  if (status === 401 || status === 403)
    return token === undefined
      ? 'it wants a token; set FRAMEWRIGHT_MODEL_TOKEN (sent over https, and to the mirror in FRAMEWRIGHT_MODEL_BASE_URL) ' +
          'or HF_TOKEN (sent to Hugging Face and that mirror) to one that may read it'
      : 'the token in FRAMEWRIGHT_MODEL_TOKEN or HF_TOKEN may not read it; its page says how to ask for access';
  if (status === 404 || status === 410)
    return 'there is no such file; correct the address, or the mirror in FRAMEWRIGHT_MODEL_BASE_URL';
  return 'it cannot be had from there';
}

/** Seconds, or a date. */
function retryAfterMs({ 'retry-after': value }: IncomingHttpHeaders): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), LONGEST_RETRY_AFTER_MS) : undefined;
}
