import path from 'node:path';
import { isBucketUrl, parseBucketUrl } from './bucket-url.js';

/** Below it bucket after bucket, as if each were a folder: for all that is reckoned with paths. */
const BUCKETS = path.resolve('/', '.s3');

/** A file or an object as a path: `s3://bucket/key` is `/.s3/bucket/key`, which no disk has; a file is what it is. */
export function pathOfPlace(place: string): string {
  if (!isBucketUrl(place)) return place;
  const { bucket, prefix } = parseBucketUrl(place);
  return path.join(BUCKETS, bucket, prefix);
}

/** The other way round. */
export function placeOfPath(file: string): string {
  const below = path.relative(BUCKETS, file);
  if (below === '' || below.startsWith('..') || path.isAbsolute(below)) return file;
  return `s3://${below.replaceAll(path.sep, '/')}`;
}

/** Where in a folder the copy of an object is; a file has none. */
export function copyOfPlace(place: string, scratch: string): string {
  return isBucketUrl(place) ? path.join(scratch, path.relative(BUCKETS, pathOfPlace(place))) : place;
}

/** What a path in such a folder is the copy of. */
export function placeOfCopy(file: string, scratch: string): string {
  const below = path.relative(scratch, file);
  if (below === '' || below.startsWith('..') || path.isAbsolute(below)) return file;
  return `s3://${below.replaceAll(path.sep, '/')}`;
}

/** A file or an object as journals call it: relative to their home, with `/`. */
export function pathInJournal(home: string, place: string): string {
  return path.relative(pathOfPlace(home), path.resolve(pathOfPlace(place))).replaceAll(path.sep, '/');
}

/** Whether a key, taken for a path, is still the same key; a server may have others, such as `a//b` and `a/../b`. */
export function isPathKey(key: string): boolean {
  const names = key.split('/');
  return (
    !key.includes('\0') &&
    !key.includes('\\') &&
    names.every((name) => name !== '' && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 255)
  );
}
