import { openApp } from './app.js';
import { listen } from './listen.js';
import type { RunningServer } from './running-server.js';
import { openContext } from './open-context.js';
import type { ServerOptions } from './options.js';
import { addCropRoute } from './routes/crop.js';
import { addHealthRoutes } from './routes/health.js';
import { addLookRoutes } from './routes/look.js';
import { addPages } from './routes/pages.js';

/** `startServer` of the library: src/serving.ts. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const context = await openContext(options);
  const app = await openApp(context);
  addHealthRoutes(app, context);
  addCropRoute(app, context);
  addLookRoutes(app, context);
  await addPages(app);
  return listen(app, context);
}
