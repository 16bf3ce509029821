# Sourced by the scripts that boot a kernel under QEMU: kernels from apt, the guest's root, the machine. The caller
# has `say` for what people should know, and has changed to the root of the checkout. Nothing is installed: packages
# are unpacked under build/kernels.
# shellcheck shell=bash

work=build/kernels

missing() {
  say "$*"
  exit 3
}

# What is needed to boot a guest; waits for other runs, which would write the same files.
prepare_guests() {
  [ "$(uname -sm)" = 'Linux x86_64' ] || missing "only x86-64 Linux is supported, this is $(uname -sm)"
  command -v qemu-system-x86_64 >/dev/null || missing 'qemu-system-x86_64 is missing: apt install --no-install-recommends qemu-system-x86'
  command -v gcc >/dev/null || missing 'gcc is missing: run scripts/setup --test'
  scripts/build || missing 'the build failed'
  mkdir -p "$work/packages" "$work/results"
  exec 9>"$work/.lock"
  flock 9
}

# Downloads a package (apt checks its signature and sum) and unpacks it; prints where.
unpacked() {
  local package="$1" to="$work/packages/$1"
  if [ ! -e "$to/.complete" ]; then
    rm -rf "$to"
    mkdir -p "$to"
    (cd "$to" && apt-get download -q "$package" >../apt.log 2>&1) || return 1
    dpkg-deb -x "$to"/*.deb "$to" || return 1
    rm "$to"/*.deb
    touch "$to/.complete"
  fi
  echo "$to"
}

newest_of() {
  local package found
  while read -r package; do
    if found=$(unpacked "$package"); then
      ls "$found"/boot/vmlinuz-*
      return
    fi
  done < <({ apt-cache pkgnames "linux-image-$1." 2>/dev/null; ls "$work/packages"; } |
    grep -E "^linux-image-${1//./\\.}\..*-cloud-amd64$" | sort -rVu | head -n 3)
  return 1
}

# The newest cloud kernel of a series (6.12) that apt still offers; one that is here already if there is no network.
kernel_of() {
  newest_of "$1" || {
    say "apt offers no linux-image-$1.*-cloud-amd64 (apt update?): $(tail -n 1 "$work/packages/apt.log" 2>/dev/null)"
    return 3
  }
}

# The guest's root: an initramfs, so that the kernel needs no disk, no module and no network. Arguments: more to put
# into it, as scripts/kernels-root.mjs takes it.
make_root() {
  local busybox root="$work/root"
  busybox=$(unpacked busybox-static)/bin/busybox || missing "apt offers no busybox-static: $(tail -n 1 "$work/packages/apt.log")"
  rm -rf "$root"
  node scripts/kernels-root.mjs "$root" "$@" || missing 'the root of the guest cannot be made'
  install -D "$busybox" "$root/bin/busybox"
  install test/kernels/guest/init "$root/init"
  (cd "$root" && find . | bin/busybox cpio -o -H newc 2>/dev/null) >"$work/root.cpio"
}

# boot IMAGE RESULT PARAMETERS OPTION…: boots the root with kernel parameters and QEMU options; what the guest finds is in RESULT.
boot() {
  local image="$1" result="$2" parameters="$3" console="${2%.ndjson}.console"
  shift 3
  rm -f "$result"
  timeout --foreground -k 5 "$patience" nice -n 10 qemu-system-x86_64 -nodefaults -no-user-config -display none -monitor none \
    -cpu max,la57=off,cx16=off -m 1024 "$@" -no-reboot -serial "file:$console" -serial "file:$result" \
    -kernel "$image" -initrd "$work/root.cpio" \
    -append "console=ttyS0 panic=-1 tsc=reliable clocksource=tsc no_timer_check mitigations=off loglevel=4 $parameters" \
    </dev/null 2>"${result%.ndjson}.qemu" || say "QEMU ended with $?: $(tail -n 1 "${result%.ndjson}.qemu")"
  grep -q '"check":"end"' "$result" 2>/dev/null || {
    say "the guest did not come to its end; its console is $console, what it said $result"
    return 1
  }
}
