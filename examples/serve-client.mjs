// Asks a running `framewright serve`: tells its progress, says where the crop is, and writes it. Node 20.19 or later alone:
//   framewright serve          # prints http://127.0.0.1:3210/?token=...
//   TOKEN=... node serve-client.mjs photo.jpg crop.webp
import { openAsBlob } from 'node:fs';
import { writeFile } from 'node:fs/promises';

const [input, output] = process.argv.slice(2);
const server = process.env.SERVER ?? 'http://127.0.0.1:3210';
const headers = { authorization: `Bearer ${process.env.TOKEN}` };

async function ask(body, accept) {
  const url = `${server}/v1/crop?aspect=4:5&candidates=3`;
  for (;;) {
    const response = await fetch(url, { method: 'POST', body, headers: { ...headers, accept } });
    if (response.ok) return response;
    const { code, detail } = await response.json();
    if (response.status !== 503) throw new Error(`${detail} [${code}]`);
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(response.headers.get('retry-after') ?? 5)));
  }
}

/** The data of each event by its name. */
async function* events(response) {
  let text = '';
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    const messages = `${text}${part}`.split('\n\n');
    text = messages.pop();
    for (const message of messages) {
      const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(message) ?? [];
      if (event) yield { event, data: JSON.parse(data) };
    }
  }
}

const photo = await openAsBlob(input);
for await (const { event, data } of events(await ask(photo, 'text/event-stream'))) {
  console.log(event, event === 'crops' ? data.crops[0].crop : JSON.stringify(data));
}
await writeFile(output, Buffer.from(await (await ask(photo, 'image/webp')).arrayBuffer()));
