/**
 * The innermost container that a /proc/PID/cgroup names, in any hierarchy: Docker, containerd, CRI-O and Podman all
 * write the container's 64 hexadecimal digits, whatever stands around them. Null outside of containers.
 */
export function containerIdOf(cgroup: string): string | null {
  for (const line of cgroup.split('\n')) {
    // hierarchy:controllers:path
    const path = line.slice(line.indexOf(':', line.indexOf(':') + 1) + 1);
    const id = path.match(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g)?.at(-1);
    if (id !== undefined) return id;
  }
  return null;
}
