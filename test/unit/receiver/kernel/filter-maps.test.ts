import { expect, it } from 'vitest';
import { type CaptureFilter, filterUse, writeFilters } from '../../../../src/receiver/kernel/filter-maps.ts';

const none = { include: [], exclude: [] };
const empty: CaptureFilter = { ports: none, pids: none, cgroups: none };

it('tells the kernel which lists there are and which of them include', () => {
  expect(filterUse(empty)).toBe(0);
  expect(filterUse({ ...empty, ports: { include: [80], exclude: [] } })).toBe(0b000011);
  expect(filterUse({ ...empty, ports: { include: [], exclude: [22] } })).toBe(0b000001);
  expect(filterUse({ ...empty, pids: { include: [1], exclude: [2] } })).toBe(0b001100);
  expect(filterUse({ ...empty, cgroups: { include: [1], exclude: [] } })).toBe(0b110000);
});

it('writes keys of the size of the maps in host byte order', () => {
  const written: [string, number[], number[]][] = [];
  const probe = {
    mapUpdate: (map: string, key: Uint8Array, value: Uint8Array) => void written.push([map, [...key], [...value]]),
  };
  writeFilters(probe, {
    ports: { include: [8080], exclude: [22] },
    pids: { include: [4_194_304], exclude: [] },
    cgroups: { include: [], exclude: [2 ** 33 + 1] },
  });
  expect(written).toEqual([
    ['filter_ports', [0x90, 0x1f], [1]],
    ['filter_ports', [22, 0], [2]],
    ['filter_tgids', [0, 0, 0x40, 0], [1]],
    ['filter_cgroups', [1, 0, 0, 0, 2, 0, 0, 0], [2]],
  ]);
});
