/** A photo as it is now, as far as can be told without reading it. */
export interface PhotoVersion {
  readonly size: number;
  readonly mtimeMs: number;
  /** Of an object in a bucket. */
  readonly etag?: string;
}

/** Photos of one folder, as far as they are found together. */
export interface PhotoGroup {
  /** Paths; of objects in a bucket as `pathOfPlace` has them. */
  readonly photos: readonly string[];
  /** They were named one by one, not found in a folder. */
  readonly areNamed: boolean;
  /** Where they are known without asking the disk. */
  readonly versions?: ReadonlyMap<string, PhotoVersion>;
}

/** Photos to submit, found while they are submitted: of a million never all at once. */
export interface PhotoSource {
  /** What has to be there for them to be found: folders, absolute, and URLs of buckets. */
  readonly roots: readonly string[];
  /** The folders whose own folders the output has too. */
  readonly mirrored: readonly string[];
  groups(onNote: (text: string) => void): AsyncIterable<PhotoGroup> | Iterable<PhotoGroup>;
}

export interface SourceOptions {
  readonly recursive: boolean;
  /** Absolute, of a bucket as `pathOfPlace` has it: nothing in it is a photo. */
  readonly output: string | undefined;
  readonly takesRaw: boolean;
}
