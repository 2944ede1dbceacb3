// Crops what is uploaded, and stops when the client goes away. npm install express framewright, then
//   node express-upload.mjs
//   curl --data-binary @photo.jpg -H 'content-type: image/jpeg' 'localhost:3000/crop?aspect=4:5' -o crop.webp
import express from 'express';
import { decodePhoto, encodeCrop, FramewrightError, openCropper } from 'framewright';

const cropper = await openCropper({ engine: process.env.ENGINE ?? 'vlm' });
const app = express();

app.post('/crop', express.raw({ type: 'image/*', limit: '50mb' }), async (request, response) => {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(60_000)]);
  const { aspect = '1:1' } = request.query;
  const { crop, focalPoint } = await cropper.crop(request.body, { aspect: String(aspect), signal });
  const photo = await decodePhoto(request.body, { signal });
  const image = await encodeCrop(photo, { crop, format: 'webp', strip: true, signal });
  response.set('X-Focal-Point', `${focalPoint.x} ${focalPoint.y}`).type('image/webp').send(Buffer.from(image.bytes));
});

app.use((error, _request, response, _next) => {
  const isTheirs = error instanceof FramewrightError && /^(INPUT|USAGE|ASPECT)/.test(error.code);
  if (response.headersSent || response.destroyed) return;
  response.status(isTheirs ? 422 : (error.status ?? 500)).json({ code: error.code ?? 'INTERNAL' });
});

const server = app.listen(process.env.PORT ?? 3000, () => {
  console.log(`http://localhost:${server.address().port}/crop`);
});
process.once('SIGTERM', () => server.close(() => cropper.dispose()));
