import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FramewrightError, messageOf } from '../../base/errors.js';
import { connect } from '../connect.js';
import { RunStore } from '../run/run-store.js';
import { prometheusText } from './prometheus.js';
import { readStatus } from './read-status.js';

export interface MetricsServer extends AsyncDisposable {
  /** `http://127.0.0.1:9464` */
  readonly url: string;
}

/**
 * Serves what Prometheus asks for at `/metrics`, read anew each time.
 *
 * @throws FramewrightError USAGE for a queue that cannot be reached, or an address that cannot be listened on
 */
export async function serveMetrics(
  queue: string,
  { port, host }: { readonly port: number; readonly host: string },
): Promise<MetricsServer> {
  const connection = await connect(queue);
  const store = new RunStore(connection.redis);
  const server = createServer((request, response) => {
    if (request.url !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404).end('there is /metrics\n');
      return;
    }
    if (connection.isAway()) {
      response.writeHead(503).end(`the server of the queue is away\n`);
      return;
    }
    readStatus(store).then(
      (status) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(prometheusText(status)),
      (error: unknown) => response.writeHead(503).end(`${messageOf(error)}\n`),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  }).catch(async (cause: unknown) => {
    await connection[Symbol.asyncDispose]();
    throw new FramewrightError('USAGE', `cannot listen on ${host}:${port}: ${messageOf(cause)}`, { cause });
  });
  const { address, port: taken, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await connection[Symbol.asyncDispose]();
    },
  };
}
