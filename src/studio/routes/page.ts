import type { FastifyInstance } from 'fastify';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { FramewrightError } from '../../base/errors.js';
import { packageFile } from '../../files/package-root.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Where the files lie that pages load. */
export const ASSETS = '/assets/';

/**
 * A page as Vite has built it, and what it loads. Its files are listed and read once; a client names none that is not in the
 * list.
 *
 * @param places routes at which the page is
 */
export async function addPage(
  app: FastifyInstance,
  page = 'index.html',
  places: readonly string[] = ['/'],
): Promise<void> {
  const folder = packageFile('dist', 'web', 'studio');
  const names = await readdir(folder, { recursive: true }).catch(() => {
    throw new FramewrightError('INTERNAL', 'the page of the studio is not built: npm run build');
  });
  for (const name of names) {
    const type = TYPES[path.extname(name)];
    if (type === undefined) continue;
    const bytes = await readFile(path.join(folder, name));
    const url = `/${name.replaceAll(path.sep, '/')}`;
    if (type === TYPES['.html'] && name !== page) continue;
    // Vite names each script and style after its content.
    const isNamedByContent = url.startsWith(ASSETS);
    const headers = isNamedByContent ? { 'cache-control': 'private, max-age=31536000, immutable' } : {};
    for (const place of name === page ? places : [url]) {
      app.get(place, (_request, reply) => reply.type(type).headers(headers).send(bytes));
    }
  }
}
