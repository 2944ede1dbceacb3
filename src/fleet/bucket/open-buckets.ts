import { openBucket, type Bucket, type BucketObject, type PutOptions, type PutSource } from './bucket.js';
import { parseBucketUrl } from './bucket-url.js';

/** Buckets by the URLs of what is in them, each opened when it is first needed. */
export class OpenBuckets implements Disposable {
  readonly #open = new Map<string, Promise<Bucket>>();

  async download(url: string, file: string): Promise<BucketObject> {
    const { bucket, prefix: key } = parseBucketUrl(url);
    return (await this.#bucket(bucket)).download(key, file);
  }

  async put(url: string, source: PutSource, options: PutOptions): Promise<'written' | 'same'> {
    const { bucket, prefix: key } = parseBucketUrl(url);
    return (await this.#bucket(bucket)).put(key, source, options);
  }

  /** URLs of the objects whose own begin so. */
  async *list(url: string): AsyncGenerator<string, void, undefined> {
    const { bucket, prefix } = parseBucketUrl(url);
    for await (const page of (await this.#bucket(bucket)).list(prefix)) {
      for (const { key } of page) yield `s3://${bucket}/${key}`;
    }
  }

  /** All of one bucket. */
  async remove(urls: readonly string[]): Promise<void> {
    if (urls.length === 0) return;
    const { bucket } = parseBucketUrl(urls[0]!);
    await (await this.#bucket(bucket)).remove(urls.map((url) => parseBucketUrl(url).prefix));
  }

  #bucket(name: string): Promise<Bucket> {
    const opened = this.#open.get(name) ?? openBucket(name);
    this.#open.set(name, opened);
    return opened;
  }

  [Symbol.dispose](): void {
    for (const opened of this.#open.values())
      opened.then(
        (bucket) => bucket.dispose(),
        () => undefined,
      );
  }
}
