// A registry of the packages with addons, for trying a release before it is one. It has nothing else: npm asks it for their
// scope alone.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { readPacked } from './read-packed.mjs';

/**
 * @param {string[]} tarballs none: it answers that there is no such package, as the registry does for a platform without
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function openRegistry(tarballs) {
  const packages = new Map(tarballs.map((file) => [readPacked(file).manifest.name, file]));
  const server = createServer((request, response) => {
    const [, name, isTarball] = /^\/(@[^/]+\/[^/]+?)(\/-\/package\.tgz)?$/.exec(decodeURIComponent(request.url)) ?? [];
    const file = packages.get(name);
    if (!file) return response.writeHead(404).end('{}');
    const bytes = readFileSync(file);
    if (isTarball) return response.end(bytes);
    const { manifest } = readPacked(file);
    const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
    const dist = { tarball: `${url}/${name}/-/package.tgz`, integrity };
    const { version } = manifest;
    const answer = { name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } };
    return response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    url,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
