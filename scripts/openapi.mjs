// schemas/openapi.json, what framewright serve answers; written by scripts/schemas.mjs.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { jsonSchema } from './schemas.mjs';

const root = path.resolve(import.meta.dirname, '..');

const REQUESTS = 'src/server/request/schema.ts';
const ANSWERS = 'src/server/request/answers.ts';

const CROP = {
  summary: 'Crop a photo',
  description:
    'Rectangles with reasons as JSON, one crop as a picture, or events while it is worked on (`waiting`, `stage`, then `crops` or `problem`, each with JSON data): as Accept says.',
};
const ANALYSE = {
  summary: "Name a photo's composition",
  description:
    'The elements it rests on, with coordinates in pixels of the upright photo. Needs the engine vlm or rules.',
};
const RANK = {
  summary: 'Compare rectangles',
  description: 'How likely each is as the crop the model would propose first. Needs the engine vlm.',
};

/** What may go wrong with a photo, by status. */
const PROBLEMS = {
  400: 'An option, or the request itself, is wrong',
  401: 'No token, or another',
  403: 'The Host is none of the names of the server, or a page of another site asks',
  404: 'There is no such file below the root',
  406: 'None of what Accept takes can be answered',
  408: 'The upload was too slow',
  413: 'The upload or the photo is too large',
  415: 'The upload is no photo of a format that is read',
  422: 'The photo is damaged, or has no crop as asked for',
  500: 'The server failed; its log says why',
  503: 'The queue is full, or the server closes; Retry-After says when to come again',
  504: 'Not done within the time limit',
};

/**
 * The text of the file. OpenAPI 3.1, whose schemas are JSON Schema 2020-12.
 * @param {Record<string, import('zod').ZodType>} zodSchemas those of src/server/request/, by their names there
 */
export function openApiFile(zodSchemas) {
  const converted = (zodSchema, source, variable) => {
    const schema = jsonSchema(zodSchema, { source, variable, target: 'draft-2020-12' });
    delete schema.$schema;
    return schema;
  };
  const request = (variable) => converted(zodSchemas[variable], REQUESTS, variable);
  const answer = (variable) => converted(zodSchemas[variable], ANSWERS, variable);
  const cropAnswer = answer('cropAnswerSchema');
  const result = converted(zodSchemas.cropAnswerSchema.shape.crops.element, 'src/base/schema.ts', 'cropResultSchema');
  cropAnswer.properties.crops.items = ref('CropResult');
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const document = {
    openapi: '3.1.1',
    info: {
      title: 'Framewright',
      version,
      summary: 'Crops photos the way a photographer would.',
      description: 'What `framewright serve` answers. A query option goes before the same option of a form.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }, { cookie: [] }],
    paths: {
      '/v1/crop': { post: photoOperation('crop', CROP, request('cropRequestSchema'), cropAnswers()) },
      '/v1/analyse': {
        post: photoOperation('analyse', ANALYSE, request('analyseRequestSchema'), json('AnalyseAnswer')),
      },
      '/v1/rank': { post: photoOperation('rank', RANK, request('rankRequestSchema'), json('RankAnswer')) },
      '/healthz': { get: plainOperation('health', 'Whether the process answers', 'application/json', { open: true }) },
      '/readyz': {
        get: plainOperation('ready', 'Whether it takes work; 503 when it closes', 'application/json', { open: true }),
      },
      '/metrics': { get: plainOperation('metrics', 'What it has done, for Prometheus', 'text/plain') },
    },
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'The token that the server printed, or of --token-file.',
        },
        cookie: { type: 'apiKey', in: 'cookie', name: 'framewright-<port>', description: 'Set by the first link.' },
      },
      schemas: {
        CropOptions: request('cropRequestSchema'),
        AnalyseOptions: request('analyseRequestSchema'),
        RankOptions: request('rankRequestSchema'),
        CropResult: result,
        CropAnswer: cropAnswer,
        AnalyseAnswer: answer('analyseAnswerSchema'),
        RankAnswer: answer('rankAnswerSchema'),
        Problem: answer('problemSchema'),
      },
      responses: Object.fromEntries(
        Object.entries(PROBLEMS).map(([status, description]) => [
          `Problem${status}`,
          { description, content: { 'application/problem+json': { schema: ref('Problem') } } },
        ]),
      ),
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function ref(name) {
  return { $ref: `#/components/schemas/${name}` };
}

/** A photo in, as the body or in a form; its options in the query or in the form. */
function photoOperation(name, { summary, description }, options, content) {
  const title = `${name[0].toUpperCase()}${name.slice(1)}Options`;
  const photo = { description: 'A JPEG, PNG, WebP, AVIF, TIFF or GIF, told by its content', type: 'string' };
  return {
    operationId: name,
    summary,
    description,
    parameters: Object.entries(options.properties).map(([option, schema]) => queryParameter(option, schema)),
    requestBody: {
      description: 'The photo. None where `path` names one of the server.',
      content: {
        'image/*': { schema: { ...photo, contentMediaType: 'image/*' } },
        'multipart/form-data': {
          schema: {
            type: 'object',
            properties: { photo: { ...photo, contentMediaType: 'application/octet-stream' }, options: ref(title) },
          },
          encoding: { options: { contentType: 'application/json' } },
        },
      },
    },
    responses: {
      200: { description: 'Done', content },
      ...Object.fromEntries(
        Object.keys(PROBLEMS).map((status) => [status, { $ref: `#/components/responses/Problem${status}` }]),
      ),
    },
  };
}

/** Lists are given by naming an option several times, what has several forms as text. */
function queryParameter(name, { description, ...schema }) {
  const forms = (each) => (each.anyOf ?? [each]).filter(({ type }) => type === 'string').map(({ type }) => ({ type }));
  const isList = schema.type === 'array' || schema.anyOf?.some(({ type }) => type === 'array') === true;
  const isPoint = name === 'focus';
  const items = { type: 'string' };
  const simple = isPoint ? forms(schema)[0] : isList ? { type: 'array', items } : schema;
  return { name, in: 'query', description, schema: simple };
}

function json(name) {
  return { 'application/json': { schema: ref(name) } };
}

function cropAnswers() {
  const picture = { schema: { type: 'string', contentMediaType: 'image/*' } };
  const formats = ['jpeg', 'png', 'webp', 'avif', 'tiff'];
  return {
    ...json('CropAnswer'),
    ...Object.fromEntries(formats.map((format) => [`image/${format}`, picture])),
    'text/event-stream': { schema: { type: 'string' } },
  };
}

function plainOperation(operationId, summary, type, { open = false } = {}) {
  return {
    operationId,
    summary,
    ...(open ? { security: [] } : {}),
    responses: { 200: { description: 'Done', content: { [type]: { schema: {} } } } },
  };
}
