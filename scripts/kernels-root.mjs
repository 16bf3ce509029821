#!/usr/bin/env node
// Makes the folder that scripts/kernels turns into the guest's initramfs: node and the libraries it and the addon
// need, the built program with the packages it imports, the C programs of the tests (static) and the guest's checks.
//   kernels-root.mjs FOLDER [FILE=TARGET…]     also files or folders, programs with the libraries that they need
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

const from = resolve(import.meta.dirname, '..');
const to = resolve(process.argv[2] ?? 'build/kernels/root');
const program = join(to, 'sonde');
for (const folder of ['bin', 'dev', 'proc', 'sys', 'tmp', 'etc', 'usr/bin', 'sonde']) {
  mkdirSync(join(to, folder), { recursive: true });
}

function copy(file, target = join(to, file)) {
  mkdirSync(dirname(target), { recursive: true });
  cpSync(file, target, { dereference: true, recursive: true });
}

const node = realpathSync(process.execPath);
copy(node, join(to, 'usr/bin/node'));
copyLibraries([node, join(from, 'build/Release/sonde.node')]);
function copyLibraries(programs) {
  const linked = execFileSync('ldd', programs, { encoding: 'utf8' });
  for (const [library] of linked.matchAll(/\/[^ :]+\.so[^ :\n]*/g)) if (!library.endsWith('.node')) copy(library);
}

for (const part of ['bin', 'dist', 'package.json', 'build/Release/sonde.node', 'build/bpf/sonde.bpf.o']) {
  copy(join(from, part), join(program, part));
}
copy(join(from, 'test/kernels/guest'), join(program, 'guest'));

/** The packages that run, with those that they depend on; only what Node loads of them. */
const seen = new Set();
function copyPackage(name, importer) {
  const folder = createRequire(importer)
    .resolve.paths(name)
    .map((path) => join(path, name))
    .find((path) => existsPackage(path));
  if (folder === undefined || seen.has(folder)) return;
  seen.add(folder);
  const real = realpathSync(folder);
  const target = join(program, folder.slice(folder.indexOf('node_modules')));
  cpSync(real, target, {
    recursive: true,
    filter: (path) => !/\.(d\.[cm]?ts|map|md|ts)$|\/(test|docs|benchmarks|examples)$/.test(path) || path === real,
  });
  const { dependencies = {} } = JSON.parse(readFileSync(join(real, 'package.json'), 'utf8'));
  for (const each of Object.keys(dependencies)) copyPackage(each, join(folder, 'package.json'));
}
function existsPackage(path) {
  try {
    return readFileSync(join(path, 'package.json')).length > 0;
  } catch {
    return false;
  }
}
const { dependencies } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
for (const name of Object.keys(dependencies)) {
  if (name !== 'node-addon-api') copyPackage(name, join(from, 'package.json'));
}

for (const more of process.argv.slice(3)) {
  const [file, target] = more.split('=');
  copy(file, join(to, target));
  if (isProgram(file)) copyLibraries([file]);
}
function isProgram(file) {
  const { mode } = statSync(file);
  return (
    statSync(file).isFile() &&
    (mode & 0o111) !== 0 &&
    readFileSync(file).subarray(0, 4).toString('latin1') === '\x7fELF'
  );
}

for (const name of ['client', 'server']) {
  const flags = ['-static', '-O1', '-pthread', '-D_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64'];
  execFileSync('gcc', [...flags, '-o', join(program, name), join(from, `test/traffic/c/${name}.c`)]);
}
