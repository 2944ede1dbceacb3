import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import { isIPv6 } from 'node:net';
import { FramewrightError, messageOf } from '../base/errors.js';
import type { ServerContext } from './context.js';
import type { RunningServer } from './running-server.js';

export interface ListenOptions {
  /** Ends what is no request of the queue, as soon as the server takes no more. */
  readonly onClosing?: () => Promise<void>;
  /** Lets go of what requests stood on, once the last has been answered. */
  readonly onClosed?: () => PromiseLike<void>;
}

/**
 * @throws FramewrightError USAGE where the address cannot be listened on
 */
export async function listen(
  app: FastifyInstance,
  { options, queue }: ServerContext,
  { onClosing, onClosed }: ListenOptions = {},
): Promise<RunningServer> {
  const { host, port, token, timeoutMs } = options;
  try {
    await app.listen({ host, port, exclusive: true });
  } catch (cause) {
    const remedy = 'choose another with --port, or end what listens there';
    throw new FramewrightError('USAGE', `cannot listen on ${host}, port ${port}: ${messageOf(cause)}; ${remedy}`, {
      cause,
    });
  }
  const url = `http://${nameToAsk(host)}:${(app.server.address() as AddressInfo).port}`;
  let closed: Promise<void> | undefined;
  return {
    url,
    link: token === undefined ? `${url}/` : `${url}/?token=${token}`,
    token,
    close: async ({ now = false } = {}) => {
      if (now) queue.stop();
      closed ??= drain();
      return closed;
    },
  };

  async function drain(): Promise<void> {
    const closing = app.close();
    await onClosing?.();
    await queue.drain(timeoutMs);
    app.server.closeIdleConnections();
    setTimeout(() => app.server.closeAllConnections(), LAST_ANSWERS_MS).unref();
    await closing;
    await onClosed?.();
  }
}

/** What listens on every network is asked by this machine's own name. */
function nameToAsk(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return isIPv6(host) ? `[${host}]` : host;
}

/** For how long answers may still be on their way once all are made. */
const LAST_ANSWERS_MS = 2000;
