import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addressOf } from '../../../../src/cli/view/remote-address.ts';
import type { AskedProbe } from '../../../../src/cli/view/remote-address.ts';
import { loadConfiguration } from '../../../../src/config/load.ts';

const OWN = 'token-of-this-host';
const OTHER = 'token-of-another-host';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonde-token-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

interface Given {
  readonly yaml?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly asked?: Partial<AskedProbe>;
}

const address = ({ yaml = '', environment = {}, asked = {} }: Given) =>
  addressOf(
    { url: undefined, tokenFile: undefined, ...asked },
    loadConfiguration({ file: file('sonde.yaml', yaml), environment }),
  );
const withTokenFile = () => `control: {token_file: ${file('own', `${OWN}\n`)}}\n`;

describe("the configuration's own control port", () => {
  test('gets the token of the file that the configuration names', () => {
    expect(address({ yaml: withTokenFile() })).toEqual({ url: 'http://127.0.0.1:9503', token: OWN });
  });

  test('gets the token of the environment', () => {
    expect(address({ environment: { SONDE_CONTROL_TOKEN: OWN } }).token).toBe(OWN);
    expect(address({ yaml: `control: {token: ${OWN}}\n` }).token).toBe(OWN);
  });

  test('gets them also if its address is given', () => {
    const yaml = `${withTokenFile().trimEnd().slice(0, -1)}, listen: '0.0.0.0:9600'}\n`;
    expect(address({ yaml }).url).toBe('http://127.0.0.1:9600');
    expect(address({ yaml, asked: { url: '127.0.0.1:9600' } }).token).toBe(OWN);
    expect(address({ yaml, asked: { url: '127.0.0.1:9601' } }).token).toBeUndefined();
  });

  test('gets no token where none is set', () => {
    expect(address({}).token).toBeUndefined();
  });
});

describe('another control port', () => {
  const url = 'http://10.0.0.7:9503';

  test("never gets this host's token from the configuration", () => {
    expect(address({ yaml: withTokenFile(), asked: { url } })).toEqual({ url, token: undefined });
    expect(address({ yaml: `control: {token: ${OWN}}\n`, asked: { url } }).token).toBeUndefined();
    const environment = { SONDE_CONTROL_TOKEN_FILE: file('own', OWN) };
    expect(address({ environment, asked: { url } }).token).toBeUndefined();
  });

  test('gets the one that is given for it', () => {
    const tokenFile = file('other', `${OTHER}\n`);
    expect(address({ yaml: withTokenFile(), asked: { url, tokenFile } }).token).toBe(OTHER);
    expect(address({ environment: { SONDE_CONTROL_TOKEN: OTHER }, asked: { url } }).token).toBe(OTHER);
  });
});
