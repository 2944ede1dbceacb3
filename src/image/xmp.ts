/**
 * The same XMP with its copy of the EXIF orientation set to 1, for pixels that were turned upright: Adobe's programs
 * read this one first. Undefined where there is nothing to change.
 */
export function uprightXmp(xmp: string | undefined): string | undefined {
  const upright = xmp
    ?.replace(/\btiff:Orientation(\s*=\s*["'])[^"']*/g, (_, opening: string) => `tiff:Orientation${opening}1`)
    .replace(/(<tiff:Orientation\b[^>]*>)[^<]*/g, (_, tag: string) => `${tag}1`);
  return upright === xmp ? undefined : upright;
}
