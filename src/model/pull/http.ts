import { defined } from '../../base/defined.js';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { proxyAuthorization, proxyFor, tunnel } from './proxy.js';

const MAX_REDIRECTS = 10;

export interface GetOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent to the first host only: redirects go to storage that has its own signatures. */
  readonly token?: string | undefined;
  /** Milliseconds without a byte after which a connection is given up. */
  readonly idleMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Of every answer on the way, the first one first: what a redirect says about the file it leads to counts too. */
  readonly trail: readonly IncomingHttpHeaders[];
  readonly body: IncomingMessage;
}

/**
 * GET with redirects followed. The body must be read or destroyed. node:http rather than fetch, which knows no proxy in
 * Node 20, and rather than undici's EnvHttpProxyAgent: with an idle time of 1.5 s it still waited after 20 s for a proxy
 * that did not answer its CONNECT, and heard no abort meanwhile (undici 7.30.2, measured 2026-11-29).
 *
 * @throws Error of the network; the signal's reason
 */
export async function httpGet(address: string, options: GetOptions): Promise<HttpAnswer> {
  const { signal } = options;
  const trail: IncomingHttpHeaders[] = [];
  const first = new URL(address);
  let url = first;
  try {
    for (let i = 0; i <= MAX_REDIRECTS; i++) {
      const token = url.origin === first.origin ? options.token : undefined;
      const response = await send(url, token, options);
      trail.push(response.headers);
      const { statusCode: status = 0, headers } = response;
      if (status < 300 || status >= 400 || status === 304 || headers.location === undefined)
        return { status, headers, trail, body: response };
      response.destroy();
      url = new URL(headers.location, url);
    }
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
  throw new Error(`${address} redirects more than ${MAX_REDIRECTS} times`);
}

async function send(
  url: URL,
  token: string | undefined,
  { headers, idleMs, signal }: GetOptions,
): Promise<IncomingMessage> {
  const proxy = proxyFor(url);
  const isSecure = url.protocol === 'https:';
  const sent: Record<string, string> = {
    'user-agent': 'framewright',
    // Bytes are counted: they must come as they are.
    'accept-encoding': 'identity',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...headers,
  };
  const options: RequestOptions = { method: 'GET', headers: sent, ...defined({ signal }) };
  if (proxy && isSecure) {
    const socket = await tunnel(proxy, url, { idleMs, signal });
    options.createConnection = () => socket; // which an agent of its own would not ask
  } else if (proxy) {
    options.host = proxy.hostname;
    options.port = proxy.port === '' ? 80 : Number(proxy.port);
    options.path = url.href;
    options.headers = { ...sent, host: url.host, ...proxyAuthorization(proxy) };
  }
  return new Promise((resolve, reject) => {
    const request = proxy && !isSecure ? httpRequest(options) : (isSecure ? httpsRequest : httpRequest)(url, options);
    request.setTimeout(idleMs, () => request.destroy(new Error(`no byte from ${url.host} for ${idleMs / 1000} s`)));
    request.on('response', resolve);
    request.on('error', reject);
    request.end();
  });
}
