#!/usr/bin/env node
/**
 * Writes src/model/record.gen.ts from the type information (BTF) of a compiled object that includes
 * bpf/include/record.h: `generate-record-layout.mjs OBJECT [FILE]`; without FILE to standard output.
 * Needs bpftool.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

const WIDTH = 120;

/** `last_time` → `lastTime`, `FLAG_NO_PAYLOAD` without `FLAG_` → `noPayload`. */
function camelCase(name) {
  return name.toLowerCase().replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}

/** The types of an object's BTF, by name. */
export function readTypes(object) {
  const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
  const text = execFileSync('bpftool', ['btf', 'dump', 'file', object, '-j'], {
    encoding: 'utf8',
    env: { ...process.env, PATH: path },
    maxBuffer: 256 << 20,
  });
  const types = new Map();
  for (const type of JSON.parse(text).types) {
    if (type.kind === 'STRUCT' || type.kind === 'ENUM') types.set(type.name, type);
  }
  return types;
}

function find(types, name) {
  const type = types.get(name);
  if (type === undefined) throw new Error(`the object has no type '${name}'`);
  return type;
}

function offsets(types, name) {
  const fields = {};
  for (const member of find(types, name).members) {
    if (member.name === 'head' || member.name.startsWith('padding')) continue;
    if (member.bits_offset % 8 !== 0) throw new Error(`${name}.${member.name} is a bit field`);
    fields[camelCase(member.name)] = member.bits_offset / 8;
  }
  return fields;
}

/** Where no field lies: runs of [from, to). */
function gaps(types, name) {
  const { members, size } = find(types, name);
  const inOrder = members.toSorted((one, other) => one.bits_offset - other.bits_offset);
  const runs = [];
  inOrder.forEach((member, i) => {
    if (!member.name.startsWith('padding')) return;
    const end = i + 1 < inOrder.length ? inOrder[i + 1].bits_offset / 8 : size;
    runs.push([member.bits_offset / 8, end]);
  });
  return `[${runs.map((run) => `[${run.join(', ')}]`).join(', ')}]`;
}

function values(types, name, prefix) {
  const entries = {};
  for (const { name: constant, val } of find(types, name).values) {
    entries[camelCase(constant.startsWith(prefix) ? constant.slice(prefix.length) : constant)] = val;
  }
  return entries;
}

/** As the formatter would: on one line where that fits. `open` is what stands before the brace. */
function literal(open, object, indent, close) {
  const pad = ' '.repeat(indent);
  const entries = Object.entries(object);
  const nested = entries.some(([, value]) => typeof value === 'object');
  const line = `${pad}${open}{ ${entries.map(([key, value]) => `${key}: ${value}`).join(', ')} }${close}`;
  if (!nested && line.length <= WIDTH) return line;
  const lines = entries.map(([key, value]) =>
    typeof value === 'object'
      ? literal(`${key}: `, value, indent + 2, ',')
      : `${' '.repeat(indent + 2)}${key}: ${value},`,
  );
  return [`${pad}${open}{`, ...lines, `${pad}}${close}`].join('\n');
}

/** The text of record.gen.ts. */
export function generate(types) {
  const records = ['message', 'open', 'owner', 'totals', 'datagram', 'tcp', 'tcp_event', 'listener'];
  const limits = values(types, 'layout', 'LAYOUT_');
  const layout = { align: limits.align, head: offsets(types, 'record_head') };
  for (const record of records) layout[camelCase(record)] = offsets(types, `${record}_record`);
  layout.size = Object.fromEntries(records.map((record) => [camelCase(record), find(types, `${record}_record`).size]));
  layout.max = { record: limits.max, payload: limits.payloadMax };

  const padding = Object.fromEntries(records.map((record) => [camelCase(record), gaps(types, `${record}_record`)]));

  const constant = (name, object) => literal(`export const ${name} = `, object, 0, ' as const;');
  return `${[
    '// Generated from the BTF of the compiled object (bpf/include/record.h). Do not edit.',
    `/** Byte offsets of the fields of each record; those of a record's own fields count from its start. */
${constant('RECORD', layout)}`,
    `/** Bytes of each record's fixed part that no field covers, as [from, to): the kernel does not write them. */
${constant('PADDING', padding)}`,
    constant('KIND', values(types, 'record_kind', 'RECORD_')),
    constant('DIRECTION', values(types, 'record_direction', 'DIRECTION_')),
    constant('FLAG', values(types, 'record_flag', 'FLAG_')),
    constant('ROLE', values(types, 'socket_role', 'ROLE_')),
    constant('CLOSE', values(types, 'close_reason', 'CLOSE_')),
    constant('POLICY', values(types, 'policy', 'POLICY_')),
    constant('COUNTER', values(types, 'counter', '')),
    constant('TCP_EVENT', values(types, 'tcp_event', 'TCP_EVENT_')),
    constant('RETRANSMIT', values(types, 'retransmit_cause', 'RETRANSMIT_')),
    constant('SWITCHED', values(types, 'switched', 'SWITCHED_')),
  ].join('\n\n')}\n`;
}

if (process.argv[1] !== undefined && import.meta.url.endsWith('/generate-record-layout.mjs') && process.argv[2]) {
  const [, , object, file] = process.argv;
  const text = generate(readTypes(object));
  if (file === undefined) process.stdout.write(text);
  else if (readFileSync(file, { encoding: 'utf8', flag: 'a+' }) !== text) writeFileSync(file, text);
}
