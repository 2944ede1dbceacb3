// Required before a program starts, it finds none of the packages WITHOUT_PACKAGES names, with commas between: as where
// nobody has installed them.
const Module = require('node:module');
const { env } = require('node:process');

const names = env.WITHOUT_PACKAGES.split(',');
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  if (!names.some((name) => request === name || request.startsWith(`${name}/`)))
    return resolve.call(this, request, ...rest);
  throw Object.assign(new Error(`Cannot find module '${request}'`), { code: 'MODULE_NOT_FOUND' });
};
