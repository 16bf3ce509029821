import { describe, expect, it } from 'vitest';
import { containerIdOf } from '../../../../src/processor/process/container-id.ts';

const ID = '0123456789abcdef'.repeat(4);
const OUTER = 'fedcba9876543210'.repeat(4);

describe('containerIdOf', () => {
  it.each([
    ['Docker, v2', `0::/system.slice/docker-${ID}.scope\n`],
    ['Docker, v1', `12:memory:/docker/${ID}\n11:cpu,cpuacct:/docker/${ID}\n0::/\n`],
    ['containerd in Kubernetes, v2', `0::/kubepods.slice/kubepods-pod1f.slice/cri-containerd-${ID}.scope\n`],
    ['CRI-O', `0::/kubepods.slice/kubepods-burstable.slice/crio-${ID}.scope/container\n`],
    ['Podman', `0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container\n`],
    ['Kubernetes, v1, with colons', `3:cpuset:/kubepods/besteffort/pod9/${ID}:x\n`],
    ['v1 and v2 side by side, the container in any line', `9:name=systemd:/\n4:memory:/docker/${ID}\n0::/\n`],
    ['a container in a container', `0::/docker/${OUTER}/docker/${ID}\n`],
  ])('finds the id of %s', (_, cgroup) => {
    expect(containerIdOf(cgroup)).toBe(ID);
  });

  it.each([
    ['a plain host', '0::/user.slice/user-0.slice/session-1.scope\n'],
    ['a shorter number', `0::/process/${ID.slice(0, 32)}\n`],
    ['a longer number', `0::/x/${ID}0\n`],
    ['nothing', ''],
  ])('finds none in %s', (_, cgroup) => {
    expect(containerIdOf(cgroup)).toBeNull();
  });
});
