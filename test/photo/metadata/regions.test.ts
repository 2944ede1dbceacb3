import { describe, expect, test } from 'vitest';
import { regionsOfCrop } from '../../../src/photo/metadata/regions.js';
import { parseXml } from '../../../src/photo/formats/xml.js';
import { storedFor, ORIENTATIONS, plain, withRectangle } from '../fixtures.js';

const UPRIGHT = { width: 200, height: 100 };
const CROP = { x: 40, y: 20, width: 100, height: 50 };
const OUTPUT = { width: 100, height: 50 };

const packet = (applied: string, regions: string): string =>
  `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#" xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#"><mwg-rs:Regions rdf:parseType="Resource">${applied}<mwg-rs:RegionList><rdf:Bag>${regions}</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta>`;
const applied = ({ width, height }: typeof UPRIGHT): string =>
  `<mwg-rs:AppliedToDimensions stDim:w="${width}" stDim:h="${height}" stDim:unit="pixel"/>`;
const region = (name: string, [x, y, w, h]: readonly number[]): string =>
  `<rdf:li><rdf:Description mwg-rs:Name="${name}"><mwg-rs:Area stArea:x="${x}" stArea:y="${y}" stArea:w="${w}" stArea:h="${h}" stArea:unit="normalized"/></rdf:Description></rdf:li>`;

/** Middle and size, in shares, of the light part of a stored picture. */
function lightArea(stored: ReturnType<typeof storedFor>): number[] {
  const light = [...stored.rgb.keys()].filter((i) => i % 3 === 0 && stored.rgb[i]! > 0).map((i) => i / 3);
  const span = (values: number[], side: number): [number, number] => {
    const [from, to] = [Math.min(...values), Math.max(...values) + 1];
    return [(from + to) / 2 / side, (to - from) / side];
  };
  const [x, w] = span(
    light.map((i) => i % stored.width),
    stored.width,
  );
  const [y, h] = span(
    light.map((i) => Math.floor(i / stored.width)),
    stored.height,
  );
  return [x, y, w, h];
}

describe('regions of a crop', () => {
  test.each(ORIENTATIONS)(
    'are where its pixels show them, drawn on the stored pixels, orientation %i',
    (orientation) => {
      const stored = storedFor(
        withRectangle(plain(UPRIGHT, [0, 0, 0]), [60, 30, 80, 40], [255, 255, 255]),
        orientation,
      );
      const change = { stored, orientation, crop: CROP, output: OUTPUT };
      // Upright (60, 30) to (80, 40) is (20, 10) to (40, 20) of the crop's 100x50.
      const expected = packet(applied(OUTPUT), region('Ann', [0.3, 0.3, 0.2, 0.2]));
      expect(regionsOfCrop(packet(applied(stored), region('Ann', lightArea(stored))), change)).toBe(expected);
    },
  );

  test('drawn on the upright picture, as the dimensions beside them say, are taken as such', () => {
    const change = { stored: { width: 100, height: 200 }, orientation: 6, crop: CROP, output: OUTPUT };
    expect(regionsOfCrop(packet(applied(UPRIGHT), region('Ann', [0.35, 0.35, 0.1, 0.1])), change)).toBe(
      packet(applied(OUTPUT), region('Ann', [0.3, 0.3, 0.2, 0.2])),
    );
  });

  const change = { stored: UPRIGHT, orientation: 1, crop: CROP, output: { width: 1000, height: 500 } };

  test('end at its edges, and go where their middle went', () => {
    const [cut, gone] = [region('cut', [0.2, 0.45, 0.1, 0.1]), region('gone', [0.1, 0.1, 0.2, 0.2])];
    const after = regionsOfCrop(packet(applied(UPRIGHT), cut + gone), change);
    expect(after).toBe(packet(applied(change.output), region('cut', [0.05, 0.5, 0.1, 0.2])));
  });

  test('in the form of elements, and Microsoft’s, are treated alike', () => {
    const elements = (x: number, y: number, w: number, h: number): string =>
      `<rdf:li><mwg-rs:Area rdf:parseType="Resource"><stArea:h>${h}</stArea:h><stArea:w>${w}</stArea:w><stArea:x>${x}</stArea:x><stArea:y>${y}</stArea:y></mwg-rs:Area></rdf:li>`;
    expect(regionsOfCrop(packet('', elements(0.35, 0.35, 0.1, 0.1)), change)).toBe(
      packet('', elements(0.3, 0.3, 0.2, 0.2)),
    );
    const microsoft = (text: string): string =>
      `<rdf:li><rdf:Description MPReg:PersonDisplayName="Ann" MPReg:Rectangle="${text}"/></rdf:li>`;
    expect(regionsOfCrop(packet('', microsoft('0.3, 0.3, 0.1, 0.1')), change)).toBe(
      packet('', microsoft('0.2, 0.2, 0.2, 0.2')),
    );
  });

  test('that say nothing a number can be made of are taken out, and XMP without any is left alone', () => {
    expect(regionsOfCrop(packet('', region('odd', [NaN, 0.3, 0.1, 0.1])), change)).toBe(packet('', ''));
    const other = packet('', '<rdf:li>text</rdf:li>');
    expect(regionsOfCrop(other, change)).toBe(other);
  });
});

describe('a region that was cropped away', () => {
  const change = { stored: UPRIGHT, orientation: 1, crop: CROP, output: OUTPUT };
  const area = (x: number, y: number): string =>
    `<mwg-rs:Area stArea:x="${x}" stArea:y="${y}" stArea:w="0.1" stArea:h="0.1"/>`;
  const [OUTSIDE, INSIDE] = [area(0.1, 0.1), area(0.35, 0.35)];
  const MOVED = '<mwg-rs:Area stArea:x="0.3" stArea:y="0.3" stArea:w="0.2" stArea:h="0.2"/>';
  const after = (regions: string): string => {
    const text = regionsOfCrop(packet(applied(UPRIGHT), regions), change);
    expect(() => parseXml(text)).not.toThrow();
    const [opening] = packet(applied(OUTPUT), '\0').split('\0');
    expect(text.startsWith(opening!)).toBe(true);
    return text.slice(opening!.length, text.lastIndexOf('</rdf:Bag>'));
  };

  test('outside any list goes alone, and the rest of the XMP stays', () => {
    expect(after(`<mwg-rs:Name>Ann</mwg-rs:Name>${OUTSIDE}${INSIDE}`)).toBe(`<mwg-rs:Name>Ann</mwg-rs:Name>${MOVED}`);
    const inDescription = packet('', '').replace('rdf:about=""', 'rdf:about="" MPReg:Rectangle="0, 0, 0.1, 0.1"');
    expect(regionsOfCrop(inDescription, change)).toBe(packet('', ''));
  });

  test('takes its list entry along only where no other is in it', () => {
    expect(after(`<rdf:li>${OUTSIDE}${OUTSIDE}</rdf:li>`)).toBe('');
    expect(after(`<rdf:li>${OUTSIDE}${INSIDE}</rdf:li>`)).toBe(`<rdf:li>${MOVED}</rdf:li>`);
  });

  test('in a list inside a list leaves the entries around it that hold others', () => {
    const nested = (outer: string, inner: string): string =>
      `<rdf:li>${outer}<rdf:Bag><rdf:li>${inner}</rdf:li></rdf:Bag></rdf:li>`;
    expect(after(nested(INSIDE, OUTSIDE))).toBe(`<rdf:li>${MOVED}<rdf:Bag></rdf:Bag></rdf:li>`);
    expect(after(nested(OUTSIDE, INSIDE))).toBe(nested('', MOVED));
    expect(after(nested(OUTSIDE, OUTSIDE))).toBe('');
  });

  test('is one of 20,000 that are all told apart in one pass', () => {
    const regions = Array.from({ length: 20_000 }, (_, i) => `<rdf:li>${i % 2 === 0 ? OUTSIDE : INSIDE}</rdf:li>`);
    expect(after(regions.join(''))).toBe(`<rdf:li>${MOVED}</rdf:li>`.repeat(10_000));
  });
});
