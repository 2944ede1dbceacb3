import type { FastifyInstance } from 'fastify';
import type { ServerContext } from '../context.js';

/** Open without a token: they say nothing of anybody's photos. */
export const OPEN_PATHS: readonly string[] = ['/healthz', '/readyz'];

/** GET /healthz (the process answers), /readyz (it takes work) and /metrics (for Prometheus). */
export function addHealthRoutes(app: FastifyInstance, { queue, metrics, cropper }: ServerContext): void {
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', (_request, reply) =>
    queue.isClosing ? reply.status(503).send({ status: 'closing' }) : reply.send({ status: 'ready' }),
  );
  app.get('/metrics', (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(metrics.text(queue, cropper)),
  );
}
