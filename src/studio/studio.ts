import type { FastifyInstance } from 'fastify';
import { defined } from '../base/defined.js';
import { openApp } from '../server/app.js';
import type { ServerContext } from '../server/context.js';
import { listen } from '../server/listen.js';
import { openContext } from '../server/open-context.js';
import { addCropRoute } from '../server/routes/crop.js';
import { addHealthRoutes } from '../server/routes/health.js';
import { addLookRoutes } from '../server/routes/look.js';
import type { RunningServer } from '../server/running-server.js';
import type { Studio } from './context.js';
import { Audience } from './events.js';
import { Library } from './library/library.js';
import { settleStudio, type StudioOptions } from './options.js';
import { addEditRoutes } from './routes/edits.js';
import { addLibraryRoutes } from './routes/library.js';
import { addPage } from './routes/page.js';
import { addPhotoRoutes } from './routes/photos.js';
import { addRunRoutes } from './routes/runs.js';
import { addLearnRoutes } from './routes/learn.js';
import { addSaveRoutes } from './routes/save.js';
import { addThinkRoute } from './routes/think.js';
import { ScreenPictures } from './screen-pictures.js';
import { Saver } from './save/save-crops.js';
import { StudioLog } from './state/studio-log.js';
import { Summaries } from './summaries.js';
import { CropRuns } from './runs/crop-runs.js';

/** `startStudio` of the library: src/serving.ts. */
export async function startStudio(options: StudioOptions): Promise<RunningServer> {
  const { own, server: serverOptions } = await settleStudio(options);
  const server = await openContext(serverOptions);
  const log = await StudioLog.open(own.folder);
  try {
    const studio = await studioOf(options, own, server, log);
    const app = await openApp(server);
    addHealthRoutes(app, server);
    addCropRoute(app, server);
    addLookRoutes(app, server);
    await addStudioRoutes(app, studio);
    return await listen(app, server, {
      onClosing: async () => {
        studio.audience.close();
        await studio.runs.cancel();
      },
      onClosed: () => log[Symbol.asyncDispose](),
    });
  } catch (error) {
    await log[Symbol.asyncDispose]();
    throw error;
  }
}

async function studioOf(
  options: StudioOptions,
  { folder, output, recursive }: { folder: string; output: string; recursive: boolean },
  server: ServerContext,
  log: StudioLog,
): Promise<Studio> {
  const { maxPixels, candidates, votes, minConfidence, minSize, straighten } = options;
  const { format, quality, strip, name, xmp, keepTime } = options;
  const library = await Library.open({ folder, output, recursive, ...defined({ maxPixels }) });
  const audience = new Audience();
  const runs = new CropRuns({
    cropper: server.cropper,
    log,
    wishes: defined({ candidates, votes, minConfidence, minSize, straighten }),
    onPhoto: (photo) => audience.tell('photos', { photos: summaries.ofNames([photo]) }),
    onProgress: (progress) => audience.tell('run', progress),
  });
  const summaries = new Summaries(library, log, runs);
  const saver = new Saver({
    library,
    log,
    output,
    options: defined({ format, quality, strip, name, xmp, keepTime, maxPixels }),
  });
  return {
    server,
    options,
    output,
    library,
    pictures: new ScreenPictures(maxPixels),
    log,
    runs,
    saver,
    audience,
    summaries,
  };
}

async function addStudioRoutes(app: FastifyInstance, studio: Studio): Promise<void> {
  addLibraryRoutes(app, studio);
  addPhotoRoutes(app, studio);
  addRunRoutes(app, studio);
  addEditRoutes(app, studio);
  addSaveRoutes(app, studio);
  addThinkRoute(app, studio);
  addLearnRoutes(app, studio);
  await addPage(app);
}
