import { isIP } from 'node:net';
import { hostname } from 'node:os';

const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** Whether only this machine reaches what listens there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * The name of a Host header, without its port and in lower case; undefined for what is none.
 */
export function nameOfHost(header: string | undefined): string | undefined {
  const match = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(header ?? '');
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/**
 * Whether a name is one of ours. A page that has its own name point to this machine (DNS rebinding) is told by that name:
 * addresses are in nobody's hand.
 *
 * @param name of `nameOfHost`
 * @param host that the server listens on
 * @param allowed further names, as of a proxy
 */
export function isOurName(name: string, host: string, allowed: readonly string[]): boolean {
  if (LOOPBACK_NAMES.includes(name) || name === host.toLowerCase()) return true;
  if (allowed.some((each) => each.toLowerCase() === name)) return true;
  return !isLoopback(host) && (isIP(name) !== 0 || name === hostname().toLowerCase());
}
