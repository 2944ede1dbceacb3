/** What is known of an object without its bytes. */
export interface BucketObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Without its quotes. Equal for equal bytes of one upload; no MD5 where they came in parts. */
  readonly etag: string;
  readonly modifiedMs: number;
}

export function withoutQuotes(etag: string): string {
  return etag.replace(/^"(.*)"$/, '$1');
}
