// The program's entry. It imports nothing up front: an old Node.js must come as far as the sentence that says so,
// and each command loads only what it needs.

const MIN_NODE = [20, 19] as const;

function oldNode(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1]);
}

if (oldNode()) {
  process.stderr.write(
    `sonde: this is Node.js ${process.versions.node}, which is too old. Install Node.js ${MIN_NODE.join('.')} or later.\n`,
  );
  process.exitCode = 3;
} else {
  const { runProgram } = await import('./program.ts');
  // oxlint-disable-next-line node/no-process-env -- the one place: from here on it is handed down
  process.exitCode = await runProgram(process.argv.slice(2), process.env);
}
