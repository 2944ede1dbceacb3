import { encodePngChunk, pngChunks, xmpChunk } from '../png-chunks.js';
import { metadataKindOf, PngTextReader } from '../png-text.js';
import { refusedPlace, type FoundPlace } from './types.js';

/** C2PA's store of signed claims (C2PA technical specification 2.1, A.3.3). */
const CREDENTIALS = 'caBX';

/** An iTXt chunk (XMP part 3, 1.1.5), which is put before the pixels: readers that stop there find it. */
export function pngXmp(png: Uint8Array): FoundPlace {
  let [insertAt, dataAt, isWhole]: [number?, number?, boolean?] = [];
  const own: { readonly at: number; readonly end: number; readonly packet: Uint8Array | undefined }[] = [];
  const reader = new PngTextReader();
  for (const chunk of pngChunks(png)) {
    const { type, at, end } = chunk;
    if (type === CREDENTIALS) return refusedPlace('signed');
    if (type === 'IHDR') insertAt = end;
    if (type === 'IDAT') dataAt ??= at;
    if (type === 'IEND') isWhole = true;
    const kind = metadataKindOf(chunk);
    if (kind === 'app1' && isXmp(reader.metadataIn(chunk))) return refusedPlace('unknown');
    if (kind !== 'xmp') continue;
    if (own.length > 0) return refusedPlace('doubled');
    own.push({ at, end, packet: reader.metadataIn(chunk) });
  }
  if (insertAt === undefined || dataAt === undefined || !isWhole) return refusedPlace('unknown');
  const [old] = own;
  if (old && !old.packet) return refusedPlace('unknown');
  const rest = old ? [png.subarray(0, old.at), png.subarray(old.end)] : [png];
  const at = old && old.at < dataAt ? old.at : insertAt;

  return {
    ...(old?.packet && { packet: old.packet }),
    replaced: (packet) => {
      const chunk = encodePngChunk(xmpChunk(packet));
      if (!old) return Buffer.concat([png.subarray(0, at), chunk, png.subarray(at)]);
      if (old.at < dataAt) return Buffer.concat([png.subarray(0, old.at), chunk, png.subarray(old.end)]);
      return Buffer.concat([png.subarray(0, at), chunk, png.subarray(at, old.at), png.subarray(old.end)]);
    },
    rest: () => [Buffer.concat(rest)],
  };
}

/** ImageMagick keeps a JPEG's segment as it was, which may be EXIF too. */
function isXmp(segment: Uint8Array | undefined): boolean {
  return segment !== undefined && Buffer.from(segment.subarray(0, 32)).toString('latin1').includes('ns.adobe.com/xap');
}
