/** How a text lies in bytes. XMP may be in any of these; a packet inside a JPEG is UTF-8. */
export type XmlEncoding = 'utf-8' | 'utf-16le' | 'utf-16be';

export interface XmlText {
  /** With its byte order mark, if it has one. */
  readonly text: string;
  readonly encoding: XmlEncoding;
}

/** Undefined where the bytes are no text in the encoding that their mark, or the first `<`, tells. */
export function decodeXmlText(bytes: Uint8Array): XmlText | undefined {
  const encoding = encodingOf(bytes);
  try {
    return { text: new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes), encoding };
  } catch {
    return undefined;
  }
}

/** The bytes of a text that keeps its byte order mark and encoding. */
export function encodeXmlText({ text, encoding }: XmlText): Uint8Array {
  if (encoding === 'utf-8') return Buffer.from(text, 'utf8');
  const bytes = Buffer.from(text, 'utf16le');
  return encoding === 'utf-16le' ? bytes : bytes.swap16();
}

/** XML 1.0, appendix F. */
function encodingOf([a, b, c]: Uint8Array): XmlEncoding {
  if ((a === 0xff && b === 0xfe) || (a === 0x3c && b === 0 && c !== 0)) return 'utf-16le';
  if ((a === 0xfe && b === 0xff) || (a === 0 && b === 0x3c)) return 'utf-16be';
  return 'utf-8';
}

/** The text as it goes into UTF-8: a declaration of another encoding, and the mark of one, would be wrong there. */
export function asUtf8({ text, encoding }: XmlText): string {
  return encoding === 'utf-8' ? text : text.replace(/^\ufeff?(?:<\?xml[^>]*\?>\s*)?/, '');
}
