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

/** The page as Vite has built it. Its files are listed and read once; a client names none that is not in the list. */
export async function addPage(app: FastifyInstance): Promise<void> {
  const folder = packageFile('dist', 'web', 'studio');
  const names = await readdir(folder, { recursive: true }).catch(() => {
    throw new FramewrightError('INTERNAL', 'the page of the studio is not built: npm run build');
  });
  for (const name of names) {
    const type = TYPES[path.extname(name)];
    if (type === undefined) continue;
    const bytes = await readFile(path.join(folder, name));
    const url = `/${name.replaceAll(path.sep, '/')}`;
    // Vite names each script and style after its content.
    const isNamedByContent = url.startsWith('/assets/');
    const headers = isNamedByContent ? { 'cache-control': 'private, max-age=31536000, immutable' } : {};
    app.get(url === '/index.html' ? '/' : url, (_request, reply) => reply.type(type).headers(headers).send(bytes));
  }
}
