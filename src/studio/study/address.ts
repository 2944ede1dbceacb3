import { networkInterfaces } from 'node:os';
import { isIPv6 } from 'node:net';
import { isLoopback } from '../../server/access/hosts.js';

/**
 * Where others reach a server that listens on a host: of one that listens on every network this machine's address in one,
 * of one that only this machine reaches, this machine.
 */
export function addressForOthers(host: string, port: number): string {
  const isEvery = host === '0.0.0.0' || host === '::';
  const name = isEvery ? (ownAddress() ?? 'localhost') : isLoopback(host) ? 'localhost' : host;
  return `http://${isIPv6(name) ? `[${name}]` : name}:${port}`;
}

function ownAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}
