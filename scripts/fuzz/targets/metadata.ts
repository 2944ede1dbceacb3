import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { FramewrightError } from '../../../src/base/errors.js';
import { encodeCrop } from '../../../src/photo/crop-file.js';
import { decodePhoto, type Photo } from '../../../src/photo/decode.js';
import { jpegSegment, jpegSegments } from '../../../src/photo/formats/jpeg-segments.js';
import { joinPictures } from '../../../src/photo/formats/multi-picture.js';
import { iptcResource } from '../../../src/photo/formats/photoshop.js';
import { decodeXmlText } from '../../../src/photo/formats/xml-text.js';
import { parseXml, XmlError } from '../../../src/photo/formats/xml.js';
import { containerOfCrop } from '../../../src/photo/metadata/container.js';
import { embedMetadata } from '../../../src/photo/metadata/embed.js';
import { findXmp } from '../../../src/photo/metadata/own-xmp.js';
import { readMetadata } from '../../../src/photo/metadata/read-metadata.js';
import { shaWithoutCrop } from '../../../src/photo/metadata/sha-without-crop.js';
import { writeSidecar } from '../../../src/photo/metadata/sidecar.js';
import { readXmp } from '../../../src/photo/metadata/xmp.js';
import { xmpOfCrop } from '../../../src/photo/metadata/xmp-of-crop.js';
import { exifBlock } from '../../../test/photo/metadata/exif-block.js';
import { bigEndianTiff, pathOf, RECORD, resource } from '../../../test/photo/metadata/photoshop-parts.js';
import { BYTE_MUTATIONS } from '../byte-mutations.js';
import type { Dice } from '../dice.js';
import type { FuzzTarget } from '../target.js';
import { mutatedXml } from '../xml-mutations.js';

const SIZE = { width: 80, height: 56 };
const CROP = { x: 9, y: 5, width: 60, height: 40 };
const MAX_PIXELS = 4_000_000;

/** With everything that is looked at: crop, regions in each form, what follows in the file, darktable's history. */
const XMP = `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:darktable="http://darktable.sf.net/" tiff:Orientation="6" crs:HasCrop="False" crs:AlreadyApplied="False" crs:CropTop="0.1" photoshop:SidecarForExtension="JPG" darktable:history_end="1">
<darktable:history><rdf:Seq><rdf:li darktable:num="1" darktable:operation="crop" darktable:enabled="1" darktable:params="00"/></rdf:Seq></darktable:history>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#" xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#" xmlns:Container="http://ns.google.com/photos/1.0/container/" xmlns:Item="http://ns.google.com/photos/1.0/container/item/">
<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:AppliedToDimensions stDim:w="80" stDim:h="56" stDim:unit="pixel"/><mwg-rs:RegionList><rdf:Bag>
<rdf:li><rdf:Description mwg-rs:Name="Ann &amp; Bo"><mwg-rs:Area stArea:x="0.4" stArea:y="0.4" stArea:w="0.1" stArea:h="0.1" stArea:unit="normalized"/></rdf:Description></rdf:li>
<rdf:li><mwg-rs:Area rdf:parseType="Resource"><stArea:x>0.02</stArea:x><stArea:y>0.02</stArea:y><stArea:w>0.01</stArea:w><stArea:h>0.01</stArea:h></mwg-rs:Area></rdf:li>
<rdf:li><rdf:Description MPReg:Rectangle="0.3, 0.3, 0.2, 0.2"/></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>
<Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/></rdf:li><rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Length="500"/></rdf:li><rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="MotionPhoto" Item:Length="900"/></rdf:li></rdf:Seq></Container:Directory>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>`;

function isXml(text: string): boolean {
  try {
    parseXml(text);
    return true;
  } catch (thrown) {
    if (thrown instanceof XmlError) return false;
    throw thrown;
  }
}

function mutatedBytes(sound: Buffer, dice: Dice): Buffer {
  let bytes: Buffer = Buffer.from(sound);
  for (let n = 1 + dice.int(3); n > 0 && bytes.length > 16; n--) {
    const mutate = BYTE_MUTATIONS[dice.pick(Object.keys(BYTE_MUTATIONS))]!;
    bytes = Buffer.from(mutate({ bytes, dataStart: dice.chance(0.3) ? bytes.length : 1200 }, dice));
  }
  return bytes;
}

const xmpTarget: FuzzTarget = {
  name: 'xmp',
  prepare: () =>
    Promise.resolve((dice) => {
      const text = mutatedXml(XMP, dice);
      const change = { stored: SIZE, orientation: 1 + dice.int(8), crop: CROP, output: CROP };
      const own = xmpOfCrop(text, change, { keepsExtension: dice.chance(0.5) });
      if (own === undefined) return Promise.resolve('beyond bounds');
      const edited = containerOfCrop(own, dice.pick([undefined, 321]));
      if (!isXml(text)) return Promise.resolve('damaged, and kept');
      if (!isXml(edited)) throw new Error('well-formed XMP became broken');
      return Promise.resolve('edited');
    }),
};

/** The folder of a run, gone with its process. */
function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'framewright-fuzz-'));
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

async function judged(work: Promise<string>): Promise<string> {
  try {
    return await work;
  } catch (thrown) {
    if (thrown instanceof FramewrightError && thrown.code !== 'INTERNAL') return thrown.code;
    throw thrown;
  }
}

function sidecarBytes(dice: Dice): Buffer {
  const text = mutatedXml(XMP, dice);
  const mark = dice.pick(['', '\ufeff']);
  const utf16 = Buffer.from(mark + text, 'utf16le');
  const bytes = dice.pick([Buffer.from(mark + text, 'utf8'), Buffer.from(text, 'utf8'), utf16, swapped(utf16)]);
  return dice.chance(0.2) ? mutatedBytes(bytes, dice) : bytes;
}

function swapped(utf16: Buffer): Buffer {
  return Buffer.from(utf16).swap16();
}

const sidecarTarget: FuzzTarget = {
  name: 'sidecar',
  prepare: async () => {
    const folder = temporaryFolder();
    const photoPath = path.join(folder, 'a.jpg');
    await writeFile(photoPath, await sharp({ create: { ...SIZE, channels: 3, background: '#345' } }).toFormat('jpeg').toBuffer()); // prettier-ignore
    const photo = await decodePhoto(photoPath);
    return async (dice) => {
      await Promise.all(['a.xmp', 'a.jpg.xmp'].map((name) => rm(path.join(folder, name), { force: true })));
      await writeFile(path.join(folder, dice.pick(['a.xmp', 'a.jpg.xmp'])), sidecarBytes(dice));
      return judged(noted(photo, dice));
    };
  },
};

async function noted(photo: Photo, dice: Dice): Promise<string> {
  const crop = dice.chance(0.8) ? CROP : { x: 0, y: 0, ...SIZE };
  const outcome = await writeSidecar(photo, crop, { force: dice.chance(0.7) });
  if (outcome.state !== 'written') return outcome.state;
  const { text } = decodeXmlText(await readFile(outcome.path))!;
  const hasCrop = readXmp(text, 'crs:HasCrop') === 'True' && readXmp(text, 'crs:AlreadyApplied') !== 'True';
  if (hasCrop !== (crop === CROP)) throw new Error('what was written is not what was asked for');
  return outcome.state;
}

/** A JPEG with EXIF, paths, IPTC and a second picture; and the same photo as TIFF in both byte orders. */
async function soundPhotos(): Promise<{ mpf: Buffer; tiffs: readonly Buffer[] }> {
  const image = sharp({ create: { ...SIZE, channels: 3, background: '#345' } });
  const jpeg = await image.clone().jpeg().toBuffer();
  const exif = exifBlock({
    main: [
      [0x010f, 2, 'a maker'],
      [0x0112, 3, [6]],
    ],
    exif: [[0x9214, 3, [10, 10, 4, 4]]],
    thumbnail: jpeg,
  });
  const corners = [
    [0.1, 0.1],
    [0.9, 0.2],
    [0.5, 0.9],
  ] as const;
  const photoshop = Buffer.concat([iptcResource(RECORD), resource(2000, 'Outline', pathOf(corners))]);
  const tagged = embedMetadata({ bytes: jpeg, format: 'jpeg', ...SIZE }, { exif, xmp: XMP, photoshop });
  const map = Buffer.concat([jpeg.subarray(0, 2), jpegSegment(0xe1, `http://ns.adobe.com/xap/1.0/\0${XMP} http://ns.adobe.com/hdr-gain-map/1.0/`), jpeg.subarray(2)]); // prettier-ignore
  const at = jpegSegments(tagged)[0]!.end;
  const tiff = await image.clone().tiff().toBuffer();
  const little = embedMetadata({ bytes: tiff, format: 'tiff', ...SIZE }, { exif, xmp: XMP, photoshop });
  // Directories first, where the changes fall.
  const big = bigEndianTiff(SIZE, false);
  return { mpf: Buffer.from(joinPictures(tagged, at, map)), tiffs: [Buffer.from(little), big] };
}

/** Of any file whose XMP may be changed at all, what the digest is of stays what it was. */
function refitted(bytes: Uint8Array, format: 'jpeg' | 'tiff'): void {
  const place = findXmp(bytes, format);
  const changed = 'refusal' in place ? undefined : place.replaced(Buffer.from(XMP));
  if (changed && shaWithoutCrop(changed, format) !== shaWithoutCrop(withPacket(bytes, format), format)) {
    throw new Error('more than the XMP has changed');
  }
}

/** The same once more: a second packet takes the place of the first. */
function withPacket(bytes: Uint8Array, format: 'jpeg' | 'tiff'): Uint8Array {
  const place = findXmp(bytes, format);
  const longer = XMP.replace('<?xpacket end', `${' '.repeat(4000)}<?xpacket end`);
  const first = 'refusal' in place ? undefined : place.replaced(Buffer.from(longer));
  const second = first && findXmp(first, format);
  return (second && !('refusal' in second) ? second.replaced(Buffer.from(XMP)) : undefined) ?? bytes;
}

async function cropped(bytes: Uint8Array, dice: Dice): Promise<string> {
  refitted(bytes, bytes[0] === 0xff ? 'jpeg' : 'tiff');
  const photo = await decodePhoto(bytes, { maxPixels: MAX_PIXELS });
  const before = readMetadata(photo).xmp;
  const width = Math.min(CROP.width, photo.width);
  const height = Math.min(CROP.height, photo.height);
  const format = dice.pick(['jpeg', 'tiff', 'png'] as const);
  const image = await encodeCrop(photo, { crop: { x: 0, y: 0, width, height }, format });
  const { xmp } = readMetadata(await decodePhoto(image.bytes));
  if (xmp !== undefined && isXml(before ?? '') && !isXml(xmp)) throw new Error('well-formed XMP became broken');
  return 'cropped';
}

const photoTarget = (
  name: string,
  pick: (dice: Dice, sound: Awaited<ReturnType<typeof soundPhotos>>) => Buffer,
): FuzzTarget => ({
  // prettier-ignore
  name,
  prepare: async () => {
    const sound = await soundPhotos();
    return (dice) => judged(cropped(mutatedBytes(pick(dice, sound), dice), dice));
  },
});

/** What is said of a photo beside its pixels: XMP and sidecars as texts, lists of pictures and directories as bytes. */
export const metadataTargets: readonly FuzzTarget[] = [
  xmpTarget,
  sidecarTarget,
  photoTarget('mpf', (_, { mpf }) => mpf),
  photoTarget('tiff-directories', (dice, { tiffs }) => dice.pick(tiffs)),
];
