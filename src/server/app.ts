import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { Socket } from 'node:net';
import { SECURITY_HEADERS } from './access/headers.js';
import { guard } from './access/guard.js';
import type { ServerContext } from './context.js';
import { HttpProblem, PROBLEM_TYPE, problemBody, problemOf } from './problem.js';
import { OPEN_PATHS } from './routes/health.js';
import { ClientGone } from './queue/job.js';

/** What a client that is refused may still send before its connection is closed. */
const PASSED_OVER_MS = 2000;

export interface AppOptions {
  /** Of a route's pattern: it needs no token, beside those that are open in any case. */
  readonly isOpen?: (route: string) => boolean;
}

/**
 * The base that routes stand on: who may ask, what every answer says, how errors are answered. Loads Fastify.
 */
export async function openApp(
  context: ServerContext,
  { isOpen = () => false }: AppOptions = {},
): Promise<FastifyInstance> {
  const { options, metrics, queue } = context;
  const [{ fastify }, { default: multipart }] = await Promise.all([import('fastify'), import('@fastify/multipart')]);
  const app = fastify({
    // It ends a request whose body nobody reads, too: those that wait for their turn.
    requestTimeout: options.timeoutMs + AFTER_TIME_MS,
    http: { headersTimeout: options.headTimeoutMs, connectionsCheckingInterval: 1000 },
    return503OnClosing: false,
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, request, reply) => {
      void sendProblem(error, request, reply);
    },
  });
  app.server.maxConnections = MOST_CONNECTIONS;
  await app.register(multipart);
  app.removeContentTypeParser(['application/json', 'text/plain']);
  // What a photo is, its content says; whoever wants the body reads it.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  app.addHook('onRequest', async (_request, reply) => {
    void reply.headers(SECURITY_HEADERS);
    if (queue.isClosing) void reply.header('connection', 'close');
  });
  const { host, allowedHosts, token } = options;
  app.addHook(
    'onRequest',
    guard({ host, allowedHosts, token, isOpen: (route) => OPEN_PATHS.includes(route) || isOpen(route) }),
  );
  app.addHook('onResponse', async (request, reply) => {
    const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
    metrics.note(route, reply.statusCode, reply.elapsedTime / 1000);
    if (options.logRequests) {
      options.onLog(`${request.method} ${route} ${reply.statusCode} ${reply.elapsedTime.toFixed(0)} ms`);
    }
    closeUnread(request);
  });
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler((request) => {
    const path = request.url.split('?', 1)[0]!;
    const allowed = METHODS.filter((method) => app.hasRoute({ method, url: path }));
    if (allowed.length === 0)
      throw new HttpProblem('NOT_FOUND', 'there is nothing here; /openapi.json says what there is');
    const allow = allowed.join(', ');
    throw new HttpProblem('METHOD_NOT_ALLOWED', `this takes ${allow}`, { allow });
  });
  return app;

  function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    // Nobody is there to be answered.
    if (error instanceof ClientGone) {
      reply.hijack();
      reply.raw.destroy();
      return undefined;
    }
    const problem = problemOf(error);
    if (problem.status === 500) options.onLog(`${request.method} ${request.routeOptions.url ?? ''}: ${textOf(error)}`);
    if (error instanceof HttpProblem) void reply.headers(error.headers);
    return reply.status(problem.status).type(PROBLEM_TYPE).send(problemBody(problem));
  }
}

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

const MOST_CONNECTIONS = 2048;

/** A request is told that its time is over before its connection is. */
const AFTER_TIME_MS = 10_000;

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** An answer before the whole body is here: the client is given a moment to read it, and is not listened to for long. */
function closeUnread({ raw }: FastifyRequest): void {
  if (raw.complete || raw.destroyed) return;
  setTimeout(() => raw.complete || raw.socket.destroy(), PASSED_OVER_MS).unref();
}

/** What is no HTTP, or too slow with it, never becomes a request. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const isSlow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const code = isSlow ? 'UPLOAD_SLOW' : 'BAD_REQUEST';
  const detail = isSlow ? 'the request was too slow to come' : 'this is not HTTP as it should be';
  const problem = problemOf(new HttpProblem(code, detail));
  const body = JSON.stringify(problemBody(problem));
  socket.end(
    `HTTP/1.1 ${problem.status} ${isSlow ? 'Request Timeout' : 'Bad Request'}\r\n` +
      `Content-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
