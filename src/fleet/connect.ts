import type { Redis } from 'ioredis';
import { FramewrightError, messageOf } from '../base/errors.js';
import { loadQueueModules, type QueueModules } from './packages.js';

/** How long the first answer of a server may take. */
const CONNECT_MS = 10_000;
/** Between two tries to reach a server that is gone. */
const MOST_RETRY_MS = 2000;

/** A connection to the server that holds the queue. */
export interface FleetConnection extends AsyncDisposable {
  readonly url: string;
  readonly redis: Redis;
  readonly modules: QueueModules;
  /** The server is gone, and waited for by all that is asked of it. */
  readonly isAway: () => boolean;
  /** Has it waited for no longer, also by connections made of this one: what was asked of it has an error. */
  readonly giveUp: () => void;
}

/**
 * Connects to Redis or Valkey: `redis://[user:password@]host[:port][/database]`, `rediss://` by TLS. Once connected, a
 * server that goes away is waited for.
 *
 * @param onLost told once when the server goes away
 * @throws FramewrightError USAGE for another address, a server that cannot be reached, or one too old; PACKAGE_NOT_FOUND
 *   where the packages are missing
 */
export async function connect(url: string, onLost?: (why: string) => void): Promise<FleetConnection> {
  const shown = withoutPassword(url);
  const modules = await loadQueueModules();
  let isEnding = false;
  // A command waits for a server that is restarted, and is not lost by it.
  const redis = new modules.ioredis.Redis(url, {
    maxRetriesPerRequest: null,
    connectTimeout: CONNECT_MS,
    retryStrategy: (nTries) => (isEnding ? null : Math.min(nTries * 100, MOST_RETRY_MS)),
    lazyConnect: true,
  });
  let last: unknown;
  redis.on('error', (error) => {
    last = error;
  });
  try {
    await Promise.race([redis.connect(), deadline()]);
    await refuseOld(redis);
  } catch (error) {
    redis.disconnect();
    if (error instanceof FramewrightError && error.code === 'USAGE') throw error;
    throw usage(`cannot reach the queue at ${shown}: ${messageOf(last ?? error)}; is the server running?`, error);
  }
  // Each try to reach it again closes a connection too.
  let isAway = false;
  redis.on('close', () => {
    if (!isEnding && !isAway) onLost?.(messageOf(last ?? 'it has closed the connection'));
    isAway = true;
  });
  redis.on('ready', () => {
    if (isEnding) redis.disconnect();
    isAway = false;
    last = undefined;
  });
  return {
    url: shown,
    redis,
    modules,
    isAway: () => isAway,
    giveUp: () => {
      isEnding = true;
    },
    [Symbol.asyncDispose]: () => {
      isEnding = true;
      redis.disconnect();
      return Promise.resolve();
    },
  };
}

/** @throws FramewrightError USAGE */
function withoutPassword(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !['redis:', 'rediss:'].includes(parsed.protocol) || parsed.hostname === '') {
    throw usage(
      `${url.replace(/:[^:@/]*@/, '@')} is no address of a queue; one is redis://host:6379, or rediss:// with TLS`,
    );
  }
  parsed.password = '';
  return parsed.href;
}

/** The scripts of the queue need 6.2. */
async function refuseOld(redis: Redis): Promise<void> {
  const info = await redis.info('server');
  const version = /^redis_version:(\d+)\.(\d+)/m.exec(info);
  const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)];
  if (major > 6 || (major === 6 && minor >= 2)) return;
  throw usage(`the queue needs Redis 6.2 or newer, or Valkey, and this is ${version?.[0].split(':')[1] ?? 'neither'}`);
}

function deadline(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`no answer within ${CONNECT_MS / 1000} s`)), CONNECT_MS).unref();
  });
}

function usage(message: string, cause?: unknown): FramewrightError {
  return new FramewrightError('USAGE', message, { cause });
}
