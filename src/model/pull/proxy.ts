import { defined } from '../../base/defined.js';
import { request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import { FramewrightError } from '../../base/errors.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy the environment names for an address, as curl reads it: `https_proxy`, `http_proxy`, `all_proxy`, in capitals
 * too, but for hosts in `no_proxy` (names with all below them, or `*`).
 *
 * @throws FramewrightError USAGE for a proxy that is no `http:` address
 */
export function proxyFor(url: URL, environment: Environment = process.env): URL | undefined {
  const read = (name: string): string => environment[name] ?? environment[name.toUpperCase()] ?? '';
  const exempt = read('no_proxy')
    .split(',')
    .map((name) => name.trim().toLowerCase());
  const host = url.hostname.toLowerCase();
  const isExempt = (name: string): boolean => {
    const bare = name.replace(/^\*?\./, '').replace(/:\d+$/, '');
    return name === '*' || (bare !== '' && (host === bare || host.endsWith(`.${bare}`)));
  };
  if (exempt.some(isExempt)) return undefined;
  const own = read(`${url.protocol.slice(0, -1)}_proxy`);
  const proxy = own === '' ? read('all_proxy') : own;
  if (proxy === '') return undefined;
  const address = proxy.includes('://') ? proxy : `http://${proxy}`;
  if (/^http:/i.test(address) && URL.canParse(address)) return new URL(address);
  throw new FramewrightError(
    'USAGE',
    `the environment names the proxy ${proxy}, and only http://host:port is known; set ${url.protocol.slice(0, -1)}_proxy ` +
      `to such a one, or no_proxy to ${host}`,
  );
}

export function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/** A TLS connection to a server through a proxy's CONNECT, which it has to answer within `idleMs`. */
export async function tunnel(
  proxy: URL,
  target: URL,
  { idleMs, signal }: { readonly idleMs: number; readonly signal?: AbortSignal | undefined },
): Promise<TLSSocket> {
  const authority = `${target.hostname}:${target.port === '' ? '443' : target.port}`;
  const socket = await new Promise<Socket>((resolve, reject) => {
    const request = httpRequest({
      host: proxy.hostname,
      port: proxy.port === '' ? 80 : Number(proxy.port),
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...proxyAuthorization(proxy) },
      ...defined({ signal }),
    });
    request.on('connect', (response, connection: Socket) => {
      connection.setTimeout(0);
      if (response.statusCode === 200) resolve(connection);
      else {
        connection.destroy();
        reject(new Error(`the proxy ${proxy.host} answered ${response.statusCode ?? 0} for ${authority}`));
      }
    });
    request.setTimeout(idleMs, () =>
      request.destroy(new Error(`no answer from the proxy ${proxy.host} for ${idleMs / 1000} s`)),
    );
    request.on('error', reject);
    request.end();
  });
  return new Promise((resolve, reject) => {
    const secure = tlsConnect({ socket, servername: target.hostname });
    // A certificate that is refused shows before there is a request that could hear of it.
    secure.once('error', reject).once('secureConnect', () => resolve(secure.off('error', reject)));
    if (signal) addAbortSignal(signal, secure);
    secure.setTimeout(idleMs, () => secure.destroy(new Error(`no byte from ${authority} for ${idleMs / 1000} s`)));
  });
}
