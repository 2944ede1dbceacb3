/** Pages of a document that are worth counting; what has more is no photo, and libvips counts them all at each opening. */
const MAX_PAGES = 1000;

/** Where numbers lie, in TIFF 6.0 and in BigTIFF. */
interface Layout {
  readonly countBytes: 2 | 8;
  readonly entryBytes: 12 | 20;
  readonly offsetBytes: 4 | 8;
}

const CLASSIC: Layout = { countBytes: 2, entryBytes: 12, offsetBytes: 4 };
const BIG: Layout = { countBytes: 8, entryBytes: 20, offsetBytes: 8 };

/**
 * The TIFF with its first page alone where it has very many; the same bytes otherwise. Their data stays, unhooked.
 */
export function firstPage(tiff: Uint8Array): Uint8Array {
  if (tiff.length < 16) return tiff;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const littleEndian = view.getUint16(0) === 0x4949;
  const layout = view.getUint16(2, littleEndian) === 43 ? BIG : CLASSIC;
  const numberAt = (at: number, nBytes: 2 | 4 | 8): number =>
    nBytes === 2
      ? view.getUint16(at, littleEndian)
      : nBytes === 4
        ? view.getUint32(at, littleEndian)
        : Number(view.getBigUint64(at, littleEndian));
  let firstNextAt: number | undefined;
  let at = numberAt(layout === BIG ? 8 : 4, layout.offsetBytes);
  for (let nPages = 1; at !== 0; nPages++) {
    if (at + layout.countBytes > tiff.length) return tiff;
    const nextAt = at + layout.countBytes + layout.entryBytes * numberAt(at, layout.countBytes);
    if (nextAt + layout.offsetBytes > tiff.length) return tiff;
    firstNextAt ??= nextAt;
    at = numberAt(nextAt, layout.offsetBytes);
    // Directories that lead back to one another end here too.
    if (nPages < MAX_PAGES) continue;
    const alone = Uint8Array.from(tiff);
    alone.fill(0, firstNextAt, firstNextAt + layout.offsetBytes);
    return alone;
  }
  return tiff;
}
