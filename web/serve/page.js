// The page that `framewright serve` shows at /: made from /openapi.json, so that it offers what there is.

/** @typedef {{ name: string, description?: string, schema: { type?: string, enum?: string[] } }} Parameter */
/**
 * @typedef {{ summary: string, description?: string, parameters?: Parameter[],
 *   responses: Record<string, { content?: Record<string, unknown> }> }} Operation
 */

/** @template {HTMLElement} T @param {string} id @returns {T} */
const byId = (id) => /** @type {T} */ (document.getElementById(id));

const form = byId('ask');
const operationSelect = /** @type {HTMLSelectElement} */ (byId('operation'));
const acceptSelect = /** @type {HTMLSelectElement} */ (byId('accept'));
const photoInput = /** @type {HTMLInputElement} */ (byId('photo'));
const stopButton = /** @type {HTMLButtonElement} */ (byId('stop'));
const [status, answer, curl, picture] = ['status', 'answer', 'curl', 'picture'].map((id) => byId(id));

/** @type {{ paths: Record<string, Record<string, Operation>> }} */
const description = await (await fetch('/openapi.json')).json();
const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);
operationSelect.replaceChildren(
  ...operations.map(
    ({ path, method, operation }, i) => new Option(`${operation.summary} (${method} ${path})`, String(i)),
  ),
);

/** What is chosen. */
const chosen = () => operations[Number(operationSelect.value)];

function showOperation() {
  const { operation, method } = chosen();
  byId('about').textContent = operation.description ?? '';
  byId('drop').hidden = method !== 'POST';
  const types = Object.keys(operation.responses['200'].content ?? {});
  acceptSelect.replaceChildren(...types.map((type) => new Option(type)));
  byId('options').replaceChildren(...(operation.parameters ?? []).map(optionInput));
  showCurl();
}

/** @param {Parameter} parameter */
function optionInput({ name, description: text = '', schema }) {
  const words = schema.enum ?? (schema.type === 'boolean' ? ['true', 'false'] : undefined);
  const input = document.createElement(words ? 'select' : 'input');
  input.name = name;
  if (words) input.append(...['', ...words].map((word) => new Option(word)));
  const about = document.createElement('small');
  about.textContent = schema.type === 'array' ? `${text} Several: one after another, with blanks between.` : text;
  const label = document.createElement('label');
  label.append(name, input, about);
  return label;
}

/** The path with the options that are filled in. */
function target() {
  const { path, operation } = chosen();
  const query = new URLSearchParams();
  for (const { name, schema } of operation.parameters ?? []) {
    const field = /** @type {HTMLInputElement} */ (byId('options').querySelector(`[name="${name}"]`));
    const value = field.value.trim();
    const values = schema.type === 'array' ? value.split(/\s+/) : [value];
    for (const each of values) if (each !== '') query.append(name, each);
  }
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** @param {string} text for a POSIX shell */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function showCurl() {
  const { method } = chosen();
  const [file] = photoInput.files ?? [];
  const body = method !== 'POST' ? [] : file ? ['--data-binary', quoted(`@${file.name}`)] : ['-X POST'];
  const headers = [`Accept: ${acceptSelect.value}`, 'Authorization: Bearer $TOKEN'];
  const parts = ['curl', ...body, ...headers.map((header) => `-H "${header}"`), quoted(location.origin + target())];
  curl.textContent = parts.join(' ');
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {{ x: number, y: number, width: number, height: number }} rect @param {string} kind */
function rectangle(rect, kind) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  for (const [name, value] of Object.entries(rect)) element.setAttribute(name, String(value));
  element.setAttribute('class', kind);
  return element;
}

/** The photo with its crops drawn on it. @param {any} crops @param {File} file */
function drawCrops(crops, file) {
  const { widthPx, heightPx } = crops[0].photo;
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', `0 0 ${widthPx} ${heightPx}`);
  const image = document.createElementNS('http://www.w3.org/2000/svg', 'image');
  image.setAttribute('href', URL.createObjectURL(file));
  image.setAttribute('width', widthPx);
  image.setAttribute('height', heightPx);
  svg.append(image);
  for (const { candidates, crop } of crops) {
    for (const { box } of candidates) {
      const [x, y, x2, y2] = box;
      svg.append(rectangle({ x, y, width: x2 - x, height: y2 - y }, 'candidate'));
    }
    svg.append(rectangle(crop, 'best'));
  }
  picture.replaceChildren(svg);
}

/** Shows an answer as it comes. @param {Response} response @param {File | undefined} file */
async function show(response, file) {
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('image/')) {
    const image = new Image();
    image.src = URL.createObjectURL(await response.blob());
    image.alt = 'The crop';
    picture.replaceChildren(image);
    answer.textContent = `${type}\ncrop: ${response.headers.get('x-framewright-crop')}`;
    return;
  }
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    text += part.value;
    answer.textContent = text;
  }
  const events = text.split('\n').filter((line) => line.startsWith('data: '));
  const value = parsed(type.startsWith('text/event-stream') ? (events.at(-1) ?? '').slice(6) : text);
  if (value && !type.startsWith('text/event-stream')) answer.textContent = JSON.stringify(value, null, 2);
  if (value?.crops?.length > 0 && file) drawCrops(value.crops, file);
}

/** @type {AbortController | undefined} */
let asking;

async function ask() {
  const { method } = chosen();
  const file = photoInput.files?.[0];
  asking?.abort();
  const mine = (asking = new AbortController());
  stopButton.disabled = false;
  status.textContent = 'Asked …';
  answer.textContent = '';
  picture.replaceChildren();
  const start = performance.now();
  try {
    const body = method === 'POST' && file ? { body: file } : {};
    const response = await fetch(target(), {
      method,
      headers: { accept: acceptSelect.value },
      signal: mine.signal,
      ...body,
    });
    await show(response, file);
    status.textContent = `${response.status} ${response.statusText} after ${((performance.now() - start) / 1000).toFixed(2)} s`;
  } catch (error) {
    status.textContent = mine.signal.aborted ? 'Stopped.' : `No answer: ${error}`;
  } finally {
    if (asking === mine) stopButton.disabled = true;
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void ask();
});
form.addEventListener('input', showCurl);
operationSelect.addEventListener('change', showOperation);
stopButton.addEventListener('click', () => asking?.abort());
const drop = byId('drop');
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.add('over');
});
document.addEventListener('dragleave', () => drop.classList.remove('over'));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  if (event.dataTransfer?.files.length) photoInput.files = event.dataTransfer.files;
  showCurl();
});
showOperation();
