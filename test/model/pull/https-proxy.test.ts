import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createProxy } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect } from 'vitest';
import { writeToyPair } from '../../../gguf/index.js';
import { CATALOG_FILE } from '../../../src/model/catalog-file.js';
import { framewright } from '../../cli/run.js';
import { testWith } from '../../support/system-tools.js';

const folder = await mkdtemp(path.join(tmpdir(), 'framewright-https-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A certificate of its own authority for a host that only the proxy knows. */
function certificate(host: string): { key: string; cert: string } {
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(folder, name)) as [string, string];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
  execFileSync('openssl', [...request, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key, cert };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

testWith(
  ['openssl'],
  'a pull over https goes through the proxy, and a server of another authority is refused',
  async () => {
    const pair = await writeToyPair(path.join(folder, 'toy'));
    const files = new Map([
      ['/m.gguf', await readFile(pair.textPath)],
      ['/v.gguf', await readFile(pair.mmprojPath)],
    ]);
    const { key, cert } = certificate('models.example');
    const server = createSecureServer({ key: await readFile(key), cert: await readFile(cert) }, (request, response) => {
      const bytes = files.get(request.url ?? '')!;
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')!.map(Number) as [
        number,
        number,
        number,
      ];
      const part = bytes.subarray(from, to + 1);
      const headers = { 'content-range': `bytes ${from}-${from + part.length - 1}/${bytes.length}`, etag: '"1"' };
      response.writeHead(206, { ...headers, 'content-length': part.length }).end(part);
    });
    const port = await listening(server);
    const asked: string[] = [];
    const proxy = createProxy().on('connect', (request, client) => {
      asked.push(request.url!);
      const upstream = connect(port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        upstream.pipe(client).pipe(upstream);
      });
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        one.on('error', () => other.destroy()).on('close', () => other.destroy());
      }
    });
    const address = `http://127.0.0.1:${await listening(proxy)}`;
    const url = 'https://models.example';
    const models = { mine: { text: `${url}/m.gguf`, mmproj: `${url}/v.gguf`, pixelBudget: { min: 784, max: 50_176 } } };
    await writeFile(path.join(folder, CATALOG_FILE), JSON.stringify({ schemaVersion: 1, models }));
    const env = {
      FRAMEWRIGHT_MODELS: path.join(folder, 'models'),
      XDG_CONFIG_HOME: folder,
      https_proxy: address,
      HTTPS_PROXY: address,
      no_proxy: '',
      NO_PROXY: '',
    };
    const pull = (more: Record<string, string>) =>
      framewright(['model', 'pull', 'mine'], { cwd: folder, env: { ...env, ...more } });

    const refused = await pull({});
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/is not trusted: self-signed certificate; .*NODE_EXTRA_CA_CERTS/);

    const pulled = await pull({ NODE_EXTRA_CA_CERTS: cert });
    expect(pulled.code).toBe(0);
    expect(await readFile(pulled.stdout.split('\n')[0]!)).toEqual(files.get('/m.gguf'));
    expect(new Set(asked)).toEqual(new Set(['models.example:443']));
    proxy.closeAllConnections();
    proxy.close();
    server.closeAllConnections();
    server.close();
  },
);
