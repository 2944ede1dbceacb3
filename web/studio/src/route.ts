// Which page is open: what stands behind # in the address, so that a link and the back button lead there.
import { signal } from '@preact/signals';

/** `#/photo/<id>` is `['photo', '<id>']`; the library is `[]`. */
export const route = signal<readonly string[]>(read());

function read(): readonly string[] {
  return location.hash
    .replace(/^#\/?/, '')
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
}

addEventListener('hashchange', () => (route.value = read()));

export function hrefTo(...parts: readonly string[]): string {
  return `#/${parts.map(encodeURIComponent).join('/')}`;
}

export function goTo(...parts: readonly string[]): void {
  location.hash = hrefTo(...parts);
}
