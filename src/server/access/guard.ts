import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpProblem } from '../problem.js';
import { isOurName, nameOfHost } from './hosts.js';
import { cookieOf, sameSecret } from './token.js';

export interface GuardOptions {
  /** What the server listens on. */
  readonly host: string;
  /** Further names it goes by. */
  readonly allowedHosts: readonly string[];
  /** Undefined: everybody who reaches the server may ask. */
  readonly token: string | undefined;
  /** Of routes, by their patterns: those that say nothing of anybody's photos, or ask for a secret of their own, are open to all. */
  readonly isOpen: (route: string) => boolean;
}

/**
 * Lets a request in, or ends it: the name it asks for must be ours, no page of another site may ask, and it must have the
 * token, as `Authorization: Bearer`, in a cookie, or once in a link that leaves the cookie.
 */
export function guard(options: GuardOptions): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const { token, isOpen } = options;
  const session = token === undefined ? undefined : cookieOf(token);

  return async (request, reply) => {
    checkHost(request, options);
    checkOrigin(request);
    if (token === undefined || session === undefined || isOpen(request.routeOptions.url ?? '')) return;
    if (hasBearer(request, token) || hasCookie(request, session)) return;
    const given = linkToken(request);
    if (given !== undefined && sameSecret(given, token)) {
      reply.header('set-cookie', `${cookieName(request)}=${session}; HttpOnly; SameSite=Strict; Path=/`);
      return reply.redirect(withoutToken(request.url), 303);
    }
    throw new HttpProblem(
      'TOKEN_NEEDED',
      'open the link that the server printed, or send its token: Authorization: Bearer <token>',
      { 'www-authenticate': 'Bearer realm="framewright"' },
    );
  };
}

function checkHost({ headers }: FastifyRequest, { host, allowedHosts }: GuardOptions): void {
  const name = nameOfHost(headers.host);
  if (name !== undefined && isOurName(name, host, allowedHosts)) return;
  throw new HttpProblem(
    'HOST_REFUSED',
    'this server does not go by that name; start it with --allow-host <name> if it does',
  );
}

/** A browser says which page asks: with Origin where something may change, with Sec-Fetch-Site always. */
function checkOrigin({ headers, method }: FastifyRequest): void {
  const { origin, host } = headers;
  const isNavigation = method === 'GET' && headers['sec-fetch-mode'] === 'navigate';
  const isForeign =
    (origin !== undefined && hostOfOrigin(origin) !== host?.toLowerCase()) ||
    (['cross-site', 'same-site'].includes(String(headers['sec-fetch-site'])) && !isNavigation);
  if (isForeign) throw new HttpProblem('ORIGIN_REFUSED', 'pages of other sites may not ask here');
}

function hostOfOrigin(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function hasBearer({ headers }: FastifyRequest, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  return given !== undefined && sameSecret(given, token);
}

function hasCookie(request: FastifyRequest, session: string): boolean {
  const name = cookieName(request);
  const cookies = (request.headers.cookie ?? '').split(';').map((each) => each.trim());
  return cookies.some((each) => each.startsWith(`${name}=`) && sameSecret(each.slice(name.length + 1), session));
}

/** Browsers keep no cookies apart by port; two servers of a machine are to have one each. */
function cookieName({ headers }: FastifyRequest): string {
  return `framewright-${/:(\d+)$/.exec(headers.host ?? '')?.[1] ?? '80'}`;
}

function linkToken({ method, query }: FastifyRequest): string | undefined {
  const { token } = query as { readonly token?: unknown };
  return method === 'GET' && typeof token === 'string' ? token : undefined;
}

/** Of the same server always, whatever the path begins with. */
function withoutToken(url: string): string {
  const { pathname, searchParams } = new URL(url.replace(/^\/+/, '/'), 'http://localhost');
  searchParams.delete('token');
  const query = searchParams.toString();
  return query === '' ? pathname : `${pathname}?${query}`;
}
