// A route that serves photos cropped to size, for Next.js (app/image/route.js) and whatever else takes a Request and
// gives a Response: GET /image?src=dogs.jpg&size=320x400. npm install framewright; in next.config.js:
// serverExternalPackages: ['framewright'].
import { decodePhoto, encodeCrop, FramewrightError, openCropper } from 'framewright';
import path from 'node:path';

export const runtime = 'nodejs';

const folder = path.resolve(process.env.PHOTOS ?? 'public/photos');
const STATUS = {
  INPUT_NOT_FOUND: 404,
  INPUT_UNREADABLE: 404,
  INPUT_UNSUPPORTED: 415,
  USAGE: 400,
  ASPECT_IMPOSSIBLE: 400,
};
const MAX_SIDE_PX = 2048;
let opening;

export async function GET(request) {
  const { searchParams } = new URL(request.url);
  // A leading slash keeps ".." from leaving the folder.
  const file = path.join(folder, path.join('/', searchParams.get('src') ?? ''));
  const size = searchParams.get('size') ?? '640x640';
  const [width, height] = size.split('x').map(Number);
  if (Math.max(width, height) > MAX_SIDE_PX) return Response.json({ code: 'USAGE' }, { status: 400 });
  try {
    const cropper = await (opening ??= openCropper({ engine: process.env.ENGINE ?? 'vlm' }));
    const { crop } = await cropper.crop(file, { size, signal: request.signal });
    const photo = await decodePhoto(file);
    const image = await encodeCrop(photo, { crop, resize: { width, height }, format: 'webp', strip: true });
    return new Response(image.bytes, {
      headers: { 'content-type': 'image/webp', 'cache-control': 'public, max-age=31536000, immutable' },
    });
  } catch (error) {
    if (!(error instanceof FramewrightError)) throw error;
    return Response.json({ code: error.code }, { status: STATUS[error.code] ?? 500 });
  }
}
