import type { FastifyInstance } from 'fastify';
import { readFile } from 'node:fs/promises';
import { packageFile } from '../../files/package-root.js';

/** Each path with its file in the package and what it is. */
const PAGES = {
  '/': ['web/serve/index.html', 'text/html; charset=utf-8'],
  '/page.css': ['web/serve/page.css', 'text/css; charset=utf-8'],
  '/page.js': ['web/serve/page.js', 'text/javascript; charset=utf-8'],
  '/icon.svg': ['web/serve/icon.svg', 'image/svg+xml'],
  '/openapi.json': ['schemas/openapi.json', 'application/json; charset=utf-8'],
} as const;

/** The page to try the server with, and its description. They are read once, by names that no client gives. */
export async function addPages(app: FastifyInstance): Promise<void> {
  for (const [path, [file, type]] of Object.entries(PAGES)) {
    const bytes = await readFile(packageFile(...file.split('/')));
    app.get(path, (_request, reply) => reply.type(type).send(bytes));
  }
}
