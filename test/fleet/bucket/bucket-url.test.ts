import { describe, expect, test } from 'vitest';
import { FramewrightError } from '../../../src/base/errors.js';
import { isBucketUrl, parseBucketUrl } from '../../../src/fleet/bucket/bucket-url.js';

describe('the address of a bucket', () => {
  test.each([
    ['s3://photos', 'photos', ''],
    ['s3://photos/', 'photos', ''],
    ['s3://photos/some/prefix', 'photos', 'some/prefix'],
    ['s3://photos/some/prefix/', 'photos', 'some/prefix/'],
    ['S3://my.photos-2/a%20b c+d/ä#1', 'my.photos-2', 'a%20b c+d/ä#1'],
    ['s3://photos//twice', 'photos', '/twice'],
    ['s3://photos/a\nb', 'photos', 'a\nb'],
  ])('%j is the bucket %s and %j, taken as it is written', (url, bucket, prefix) => {
    expect(isBucketUrl(url)).toBe(true);
    expect(parseBucketUrl(url)).toEqual({ bucket, prefix });
  });

  test.each(['photos', './s3:', '/s3://photos', 'C:\\photos', 's3', 's3n://photos', 'https://s3.example/photos'])(
    '%j is none',
    (text) => {
      expect(isBucketUrl(text)).toBe(false);
      expect(() => parseBucketUrl(text)).toThrow('it does not begin with s3://');
    },
  );

  test.each([
    ['s3:', 'two slashes follow s3:'],
    ['s3:photos', 'two slashes follow s3:'],
    ['s3:/photos', 'two slashes follow s3:'],
    ['s3://', 'the name of the bucket is missing'],
    ['s3:///photos', 'the name of the bucket is missing'],
    ['s3://photos?versionId=1', 'it has a query (?)'],
    ['s3://photos/a.jpg?versionId=1', 'it has a query (?)'],
    ['s3://Photos', 'not "Photos"'],
    ['s3://ph', 'not "ph"'],
    [`s3://${'p'.repeat(64)}`, 'lowercase letters'],
    ['s3://-photos', 'not "-photos"'],
    ['s3://my..photos', 'not "my..photos"'],
    ['s3://192.168.0.1/photos', 'not "192.168.0.1"'],
    ['s3://user:secret@photos', 'not "user:secret@photos"'],
  ])('%j is refused, and the message says how it is written', (url, why) => {
    expect(isBucketUrl(url)).toBe(true);
    const parse = () => parseBucketUrl(url);
    expect(parse).toThrow(FramewrightError);
    expect(parse).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(parse).toThrow(why);
    expect(parse).toThrow('write s3://bucket or s3://bucket/some/prefix');
  });
});
