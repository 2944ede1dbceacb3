// The thread that decodes one HEIC: libheif takes a second or more for a phone's photo, and what it does to its own
// memory stays in it.
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { HeicFailure, readPicture } from './read-picture.js';
import type { Libheif } from './libheif.js';
import type { HeicReply, HeicRequest } from './messages.js';

const request = workerData as HeicRequest;
const heif = createRequire(import.meta.url)(request.libheif) as Libheif;

function read(): HeicReply {
  try {
    return readPicture(heif, request);
  } catch (thrown) {
    if (thrown instanceof HeicFailure) return { failure: { kind: thrown.kind, reason: thrown.message } };
    throw thrown;
  }
}

const reply = read();
parentPort!.postMessage(reply, 'found' in reply ? [reply.found.tiff.buffer as ArrayBuffer] : []);
