import { centred, PARTS } from './descriptor.js';
import type { IndexContents, IndexedPhoto } from './index-file.js';

/** A photo of the index that is like another. */
export interface Neighbour {
  readonly photo: IndexedPhoto;
  /** Cosine of the angle between the two, -1..1; 1 is the same picture. */
  readonly similarity: number;
}

/** The documents nearest to a vector, by their places in the index, with the cosine. */
type Search = (value: number[], limit: number) => Promise<readonly { readonly id: string; readonly score: number }[]>;

/** The photos of an index in the memory, searched by likeness. */
export class CropIndex {
  readonly contents: IndexContents;
  readonly #search: Search;

  private constructor(contents: IndexContents, search: Search) {
    this.contents = contents;
    this.#search = search;
  }

  static async open(contents: IndexContents): Promise<CropIndex> {
    // Loaded here, for what retrieves nothing has no use for it.
    const { create, insertMultiple, searchVector } = await import('@orama/orama');
    const nNumbers = PARTS ** 2 * contents.common.length;
    const db = create({ schema: { vector: `vector[${nNumbers}]` as const } });
    const documents = contents.photos.map(({ vector }, i) => ({ id: String(i), vector: Array.from(vector) }));
    await insertMultiple(db, documents);
    return new CropIndex(contents, async (value, limit) => {
      const vector = { value, property: 'vector' };
      const { hits } = await searchVector(db, { mode: 'vector', vector, similarity: -1, limit });
      return hits;
    });
  }

  get nPhotos(): number {
    return this.contents.photos.length;
  }

  /**
   * The photos most like another, the most alike first.
   *
   * @param description of it, by the tower the index was made with
   * @param except a photo of the index that is to be taken for absent
   */
  async nearest(description: Float32Array, count: number, except?: IndexedPhoto): Promise<Neighbour[]> {
    const { common, photos } = this.contents;
    const value = Array.from(centred(description, common));
    const hits = await this.#search(value, count + (except ? 1 : 0));
    return hits
      .map(({ id, score }) => ({ photo: photos[Number(id)]!, similarity: Math.min(1, score) }))
      .filter(({ photo }) => photo !== except)
      .slice(0, count);
  }
}
