/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The one object: every topic's programs share the maps and the state of a socket. */
#include "backfill.bpf.c"
#include "calls-fexit.bpf.c"
#include "control.bpf.c"
#include "life.bpf.c"
#include "listeners.bpf.c"
#include "sweep.bpf.c"
#include "switch.bpf.c"
#include "tcp.bpf.c"

char LICENSE[] SEC("license") = "GPL";
