import { get } from 'node:http';

/** GET, and the JSON of the answer. */
export function askJson(url: string): Promise<{ readonly status: number | undefined; readonly body: unknown }> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.once('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) as unknown }));
    }).once('error', reject);
  });
}
