import { describe, expect, test } from 'vitest';
import { xmpOfCrop } from '../../../src/photo/metadata/xmp-of-crop.js';
import { containerOfCrop } from '../../../src/photo/metadata/container.js';
import { editXmp, readXmp } from '../../../src/photo/metadata/xmp.js';
import { MAX_XML_CHARACTERS, parseXml, XmlError, XmlTooLargeError } from '../../../src/photo/formats/xml.js';
import { randomInts } from '../random.js';

const packet = (description: string): string =>
  `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n` +
  ` <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n${description}\n </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>`;

const FULL = packet(`  <!-- kept: <crs:HasCrop>True</crs:HasCrop> -->
  <rdf:Description rdf:about=''
    xmlns:xmp = "http://ns.adobe.com/xap/1.0/"   xmp:Rating='4'
    xmlns:c="http://ns.adobe.com/camera-raw-settings/1.0/" c:Exposure2012="+0.50" c:HasCrop="False">
   <dc:title xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Alt><rdf:li xml:lang="x-default">A &amp; B &#x263a; <![CDATA[<crs:CropTop>]]></rdf:li></rdf:Alt></dc:title>
   <c:ToneCurve><rdf:Seq><rdf:li>0, 0</rdf:li></rdf:Seq></c:ToneCurve>
  </rdf:Description>
  <rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"><tiff:Orientation>6</tiff:Orientation></rdf:Description>`);

const CHANGE = {
  stored: { width: 400, height: 300 },
  orientation: 6,
  crop: { x: 0, y: 0, width: 100, height: 50 },
  output: { width: 100, height: 50 },
};

describe('editing XMP', () => {
  test('changes the values asked for under whatever prefix, and no other character', () => {
    const edited = editXmp(FULL, { 'crs:HasCrop': 'True', 'tiff:Orientation': '1' });
    expect(edited).toBe(FULL.replace('c:HasCrop="False"', 'c:HasCrop="True"').replace('>6<', '>1<'));
  });

  test('adds what is not there with the prefix in use, or a new one', () => {
    const edited = editXmp(FULL, { 'crs:CropTop': '0.25', 'hdrgm:Version': '1 < 2 & "3"' });
    expect(edited).toContain('\n   c:CropTop="0.25"');
    expect([readXmp(edited, 'crs:CropTop'), readXmp(edited, 'hdrgm:Version')]).toEqual(['0.25', '1 < 2 & "3"']);
    const back = editXmp(edited, { 'crs:CropTop': undefined, 'hdrgm:Version': undefined });
    expect(back.replace('\n   xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"', '')).toBe(FULL);
  });

  test('does not take a prefix that already means something else', () => {
    const other = packet('<rdf:Description rdf:about="" xmlns:crs="urn:other" crs:HasCrop="theirs"/>');
    const edited = editXmp(other, { 'crs:HasCrop': 'True' });
    expect(edited).toContain('crs:HasCrop="theirs"');
    expect(edited).toContain('crs2:HasCrop="True"');
    expect(readXmp(edited, 'crs:HasCrop')).toBe('True');
  });

  test('does not take a prefix that is used though nothing declares it', () => {
    const undeclared = packet('<rdf:Description rdf:about="" crs:HasCrop="False"/>');
    const edited = editXmp(undeclared, { 'crs:HasCrop': 'True' });
    expect(edited).toContain('crs:HasCrop="False"');
    expect(readXmp(edited, 'crs:HasCrop')).toBe('True');
  });

  test('makes a description where there is none', () => {
    for (const empty of [
      packet(''),
      '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>',
      '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>',
    ]) {
      expect(readXmp(editXmp(empty, { 'crs:CropTop': '0.1' }), 'crs:CropTop')).toBe('0.1');
    }
  });

  test('leaves one value of a property that is there twice', () => {
    const twice = packet(
      '<rdf:Description rdf:about="" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:HasCrop="False"><crs:HasCrop>True</crs:HasCrop></rdf:Description>',
    );
    expect(editXmp(twice, { 'crs:HasCrop': 'True' }).match(/HasCrop/g)).toHaveLength(1);
  });

  test('refuses what is no XML, and never throws anything else, whichever characters are damaged', () => {
    for (const text of [
      '',
      'text',
      '<a>',
      '<a></b>',
      '<a/><b/>',
      '<!DOCTYPE a><a/>',
      '<a b="1" b="2"/>',
      '<a',
      '<a>\0</a>',
      '</a>',
      '<a>'.repeat(1000) + '</a>'.repeat(1000),
    ]) {
      expect(() => parseXml(text)).toThrow(XmlError);
    }
    const next = randomInts(3);
    let nRefused = 0;
    for (let round = 0; round < 3000; round++) {
      const at = next(FULL.length);
      const broken = FULL.slice(0, at) + (['', '<', '>', '"', '/', '&'][next(6)] ?? '') + FULL.slice(at + next(3));
      try {
        editXmp(broken, { 'crs:HasCrop': 'True', 'crs:CropTop': '1' });
      } catch (thrown) {
        if (!(thrown instanceof XmlError)) throw thrown;
        nRefused++;
      }
    }
    expect(nRefused).toBeGreaterThan(100);
  });
});

describe('XMP without measure', () => {
  const DECLARATIONS = Array.from({ length: 20_000 }, (_, i) => `xmlns:a${i}="urn:${i}"`).join(' ');

  test('has its prefixes looked up in one table, whatever each of its elements declares', () => {
    const children = '<b:c xmlns:b="urn:b"/>'.repeat(20_000);
    const root = parseXml(`<a ${DECLARATIONS}>${children}<a7:c/><b:c/></a>`);
    expect(root.children).toHaveLength(20_002);
    expect(root.children.slice(-3).map(({ namespace }) => namespace)).toEqual(['urn:b', 'urn:7', undefined]);
  });

  test('an inner declaration hides an outer one until its element ends', () => {
    const { children } = parseXml(
      '<p:a xmlns:p="urn:1" xmlns="urn:d"><p:b xmlns:p="urn:2"><p:c/><d/></p:b><p:e/></p:a>',
    );
    expect(children.map(({ namespace }) => namespace)).toEqual(['urn:2', 'urn:1']);
    expect(children[0]!.children.map(({ namespace }) => namespace)).toEqual(['urn:2', 'urn:d']);
  });

  test('is edited in one pass: 60,000 of one property become one', () => {
    const many = FULL.replace(/<tiff:Orientation>6<\/tiff:Orientation>/, (one) => `\n${one}`.repeat(60_000));
    const before = FULL.replace('<tiff:Orientation>', '\n<tiff:Orientation>');
    expect(editXmp(many, { 'tiff:Orientation': '1' })).toBe(before.replace('>6<', '>1<'));
  });

  test('is told apart from broken XML when it is too deep, too long or of too many parts, and a crop goes without', () => {
    for (const text of [
      '<a>'.repeat(201) + '</a>'.repeat(201),
      `<a>${' '.repeat(MAX_XML_CHARACTERS)}</a>`,
      `<a>${'<b/>'.repeat(200_000)}</a>`,
      `<a ${Array.from({ length: 200_001 }, (_, i) => `b${i}=""`).join(' ')}/>`,
    ]) {
      expect(() => parseXml(text)).toThrow(XmlTooLargeError);
      expect(xmpOfCrop(text, CHANGE, { keepsExtension: true })).toBeUndefined();
    }
  });

  test('keeps the declarations of an empty element that is given a value', () => {
    const empty = packet('<rdf:Description><t:Orientation xmlns:t="http://ns.adobe.com/tiff/1.0/"/></rdf:Description>');
    const edited = editXmp(empty, { 'tiff:Orientation': '1' });
    expect(edited).toBe(empty.replace('/></rdf:D', '>1</t:Orientation></rdf:D'));
  });
});

describe('XMP of a crop', () => {
  const inDescription = (attributes: string, children = ''): string =>
    packet(
      `<rdf:Description rdf:about="" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" ${attributes}>${children}</rdf:Description>`,
    );

  test('has the new dimensions, and no picture of what was there before', () => {
    const before = inDescription(
      'exif:PixelXDimension="400" exif:PixelYDimension="300"',
      '<xmp:Thumbnails><rdf:Alt/></xmp:Thumbnails>',
    );
    const after = xmpOfCrop(before, CHANGE, { keepsExtension: true })!;
    expect([readXmp(after, 'exif:PixelXDimension'), readXmp(after, 'exif:PixelYDimension')]).toEqual(['100', '50']);
    expect(after).not.toContain('Thumbnails');
    expect(after).not.toContain('tiff:');
  });

  test('asks for no crop that a raw developer would cut out of the crop, but tells of one that was made', () => {
    const crop = 'crs:HasCrop="True" crs:CropTop="0.1" crs:CropAngle="2" crs:Exposure2012="+1.00"';
    const after = xmpOfCrop(inDescription(crop), CHANGE, { keepsExtension: true })!;
    expect([readXmp(after, 'crs:HasCrop'), readXmp(after, 'crs:CropTop')]).toEqual(['False', undefined]);
    expect(readXmp(after, 'crs:Exposure2012')).toBe('+1.00');
    const applied = inDescription(`${crop} crs:AlreadyApplied="True"`);
    expect(xmpOfCrop(applied, CHANGE, { keepsExtension: true })).toBe(applied);
  });

  test('names no continuation that a format has no place for', () => {
    const before = inDescription('xmpNote:HasExtendedXMP="0123456789ABCDEF0123456789ABCDEF"');
    expect(xmpOfCrop(before, CHANGE, { keepsExtension: true })).toBe(before);
    expect(readXmp(xmpOfCrop(before, CHANGE, { keepsExtension: false })!, 'xmpNote:HasExtendedXMP')).toBeUndefined();
  });

  test('that is no XML keeps everything but its orientation', () => {
    expect(xmpOfCrop('<broken tiff:Orientation="6" a=b>', CHANGE, { keepsExtension: true })).toBe(
      '<broken tiff:Orientation="1" a=b>',
    );
  });

  test('lists what follows in the file: the new gain map, and no video that is not there', () => {
    const item = (semantic: string, length: number): string =>
      `<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="${semantic}" Item:Length="${length}"/></rdf:li>`;
    const before = packet(
      `<rdf:Description rdf:about="" xmlns:Container="http://ns.google.com/photos/1.0/container/" xmlns:Item="http://ns.google.com/photos/1.0/container/item/"><Container:Directory><rdf:Seq>${item('Primary', 0)}${item('GainMap', 500)}${item('MotionPhoto', 900)}</rdf:Seq></Container:Directory></rdf:Description>`,
    );
    expect(containerOfCrop(before, 321)).toBe(
      before.replace('Length="500"', 'Length="321"').replace(item('MotionPhoto', 900), ''),
    );
    expect(containerOfCrop(before, undefined)).not.toContain('Container:Item');
  });

  test('lists no video either where items lie in no list, or two in one entry', () => {
    const item = (semantic: string): string => `<Container:Item Item:Semantic="${semantic}" Item:Length="9"/>`;
    const list = (items: string): string =>
      packet(
        `<rdf:Description rdf:about="" xmlns:Container="http://ns.google.com/photos/1.0/container/" xmlns:Item="http://ns.google.com/photos/1.0/container/item/"><Container:Directory>${items}</Container:Directory></rdf:Description>`,
      );
    const [map, video] = [item('GainMap'), item('MotionPhoto')];
    for (const [before, after] of [
      [video + map, map],
      [`<rdf:Seq><rdf:li>${map}${video}</rdf:li></rdf:Seq>`, `<rdf:Seq><rdf:li>${map}</rdf:li></rdf:Seq>`],
      [`<rdf:Seq><rdf:li>${video}${video}</rdf:li></rdf:Seq>`, '<rdf:Seq></rdf:Seq>'],
    ] as const) {
      expect(containerOfCrop(list(before), 9)).toBe(list(after));
    }
  });
});
