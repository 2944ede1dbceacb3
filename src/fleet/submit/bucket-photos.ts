import path from 'node:path';
import { isReadablePhoto } from '../../batch/inputs.js';
import { isGlob } from '../../batch/glob.js';
import { countedAre } from '../../base/counted.js';
import { FramewrightError } from '../../base/errors.js';
import type { PhotoGroup, PhotoSource, PhotoVersion, SourceOptions } from './photo-source.js';
import { openBucket } from '../bucket/bucket.js';
import { parseBucketUrl } from '../bucket/bucket-url.js';
import { isPathKey, pathOfPlace } from '../bucket/places.js';

/**
 * The photos of a bucket whose keys begin so, a page of its list at a time; `s3://bucket/photos` means those below
 * `photos/`, of its own level only unless `recursive`.
 *
 * @throws FramewrightError USAGE for a pattern
 */
export function bucketSource(url: string, { recursive, output }: SourceOptions): PhotoSource {
  const { bucket: name, prefix } = parseBucketUrl(url);
  if (isGlob(prefix)) {
    throw new FramewrightError('USAGE', `${url} is a pattern, and buckets are listed by prefix; name one, or a list`);
  }
  const isOne = isReadablePhoto(prefix);
  const below = prefix === '' || prefix.endsWith('/') || isOne ? prefix : `${prefix}/`;
  const root = pathOfPlace(`s3://${name}/${isOne ? path.posix.dirname(prefix) : below}`);
  return {
    roots: [`s3://${name}/${below}`],
    mirrored: recursive && !isOne ? [root] : [],
    async *groups(onNote) {
      using bucket = await openBucket(name);
      let nPhotos = 0;
      let nOdd = 0;
      for await (const page of bucket.list(below)) {
        const photos = new Map<string, PhotoVersion>();
        for (const { key, size, etag, modifiedMs } of page) {
          if (!isReadablePhoto(key) || isHidden(key.slice(below.length))) continue;
          if (!recursive && !isOne && key.slice(below.length).includes('/')) continue;
          if (!isPathKey(key)) {
            nOdd++;
            continue;
          }
          const photo = pathOfPlace(`s3://${name}/${key}`);
          if (output !== undefined && !path.relative(output, photo).startsWith('..')) continue;
          photos.set(photo, { size, mtimeMs: modifiedMs, etag });
        }
        nPhotos += photos.size;
        yield* byFolder(photos, isOne);
      }
      if (nOdd > 0) onNote(`${countedAre(nOdd, 'photo')} left out of ${url}, for keys that are no paths`);
      if (nPhotos === 0) {
        throw new FramewrightError(
          'INPUT_NOT_FOUND',
          `no photo in ${url}${recursive ? '' : '; --recursive looks below it'}`,
        );
      }
    },
  };
}

function isHidden(key: string): boolean {
  return key.split('/').some((name) => name.startsWith('.'));
}

function* byFolder(versions: ReadonlyMap<string, PhotoVersion>, areNamed: boolean): Generator<PhotoGroup> {
  let photos: string[] = [];
  for (const photo of versions.keys()) {
    if (photos.length > 0 && path.dirname(photos[0]!) !== path.dirname(photo)) {
      yield { photos, areNamed, versions };
      photos = [];
    }
    photos.push(photo);
  }
  if (photos.length > 0) yield { photos, areNamed, versions };
}
