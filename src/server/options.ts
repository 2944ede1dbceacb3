import { checkOptions, checkWhole, type OptionKinds } from '../base/options-check.js';
import { FramewrightError } from '../base/errors.js';
import { defined } from '../base/defined.js';
import type { Cropper } from '../cropper/cropper.js';
import { isLoopback, nameOfHost } from './access/hosts.js';
import { checkToken, newToken } from './access/token.js';

export interface ServerOptions {
  /** What crops; it stays open when the server closes. */
  readonly cropper: Cropper;
  /** What to listen on. Default 127.0.0.1: only this machine. */
  readonly host?: string;
  /** 0 takes a free one. Default 3210. */
  readonly port?: number;
  /**
   * What opens the door: 16 characters or more, a new one by default. `false`, where only this machine reaches the server,
   * lets everybody in.
   */
  readonly token?: string | false;
  /** Further names the server goes by, as of a proxy before it; requests for others are refused. */
  readonly allowedHosts?: readonly string[];
  /** A folder whose photos clients may name. Default: none, photos are uploaded. */
  readonly root?: string;
  /** Requests worked on at once. Default 2: one in the model, one being decoded; with a parallel cropper one more than it has. */
  readonly atOnce?: number;
  /** Requests that may wait beside them; further ones are answered 503. Default 32. */
  readonly queue?: number;
  /** From a request to the end of its answer, waiting included, in milliseconds. Default 120,000. */
  readonly timeoutMs?: number;
  /** Largest upload. Default 64 MB. */
  readonly maxBytes?: number;
  /** Longest pause in an upload, in milliseconds; all of it is within `timeoutMs`. Default 30,000. */
  readonly uploadPauseMs?: number;
  /** For how long the head of a request may be on its way, in milliseconds. Default 30,000. */
  readonly headTimeoutMs?: number;
  /** Called with a line for each error of the server's own, and with `logRequests` for each request. */
  readonly onLog?: (line: string) => void;
  readonly logRequests?: boolean;
}

/** The options with what holds where nothing is said. */
export interface SettledOptions extends Required<Omit<ServerOptions, 'token' | 'root'>> {
  readonly token: string | undefined;
  readonly root: string | undefined;
}

const KINDS: OptionKinds<ServerOptions> = {
  cropper: 'object',
  host: 'text',
  port: 'number',
  token: 'any',
  allowedHosts: 'list',
  root: 'text',
  atOnce: 'number',
  queue: 'number',
  timeoutMs: 'number',
  maxBytes: 'number',
  uploadPauseMs: 'number',
  headTimeoutMs: 'number',
  onLog: 'function',
  logRequests: 'boolean',
};

export const SERVER_DEFAULTS = {
  host: '127.0.0.1',
  port: 3210,
  atOnce: 2,
  queue: 32,
  timeoutMs: 120_000,
  maxBytes: 64_000_000,
  uploadPauseMs: 30_000,
  headTimeoutMs: 30_000,
} as const;

/** Above, a timer of Node's fires at once. */
const MOST_MS = 2 ** 31 - 1;

/** @throws FramewrightError USAGE */
export function settleOptions(options: ServerOptions): SettledOptions {
  checkOptions('startServer', options, KINDS);
  if ((options as Partial<ServerOptions>).cropper === undefined) {
    throw new FramewrightError('USAGE', 'startServer needs a cropper: { cropper: await openCropper() }');
  }
  const settled = {
    allowedHosts: [],
    onLog: () => undefined,
    logRequests: false,
    ...SERVER_DEFAULTS,
    ...defined(options),
  };
  checkWhole('port', settled.port, 0, 65_535);
  checkWhole('atOnce', settled.atOnce, 1, 1024);
  checkWhole('queue', settled.queue, 0, 100_000);
  checkWhole('timeoutMs', settled.timeoutMs, 1, MOST_MS);
  checkWhole('maxBytes', settled.maxBytes, 1, 2 ** 32);
  checkWhole('uploadPauseMs', settled.uploadPauseMs, 1, MOST_MS);
  checkWhole('headTimeoutMs', settled.headTimeoutMs, 1, MOST_MS);
  for (const name of settled.allowedHosts) checkHostName(name);
  return { ...settled, root: settled.root, token: settleToken(options.token, settled.host) };
}

function settleToken(token: string | false | undefined, host: string): string | undefined {
  if (token === undefined) return newToken();
  if (typeof token === 'string') return checkToken(token);
  if (isLoopback(host)) return undefined;
  throw new FramewrightError(
    'USAGE',
    `${host} is reached from other machines, so a token is needed: leave out --no-token, or listen on 127.0.0.1`,
  );
}

function checkHostName(name: string): void {
  if (nameOfHost(name) !== undefined && !name.includes(':')) return;
  throw new FramewrightError('USAGE', `${JSON.stringify(name)} is no host name: write it without scheme and port`);
}
