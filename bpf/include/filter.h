/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * capture.filter: lists of ports, processes and cgroups. An entry includes or excludes. A socket is
 * filtered if any of its keys is excluded, or if a list that includes has none of its keys.
 */
#ifndef SONDE_FILTER_H
#define SONDE_FILTER_H

#include "kernel.h"

enum filter_verdict {
	FILTER_INCLUDE = 1,
	FILTER_EXCLUDE = 2,
};

enum filter_use {
	FILTER_PORTS = 1,         /* the list has entries */
	FILTER_PORTS_INCLUDE = 2, /* and some of them include */
	FILTER_TGIDS = 4,
	FILTER_TGIDS_INCLUDE = 8,
	FILTER_CGROUPS = 16,
	FILTER_CGROUPS_INCLUDE = 32,
};

const volatile __u32 filter_use = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u16);
	__type(value, __u8);
} filter_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u8);
} filter_tgids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u8);
} filter_cgroups SEC(".maps");

/* Ports in host byte order. */
static __always_inline bool port_filtered(__u16 local_port, __u16 remote_port)
{
	const __u8 *a, *b;

	if (!(filter_use & FILTER_PORTS))
		return false;
	a = bpf_map_lookup_elem(&filter_ports, &local_port);
	b = bpf_map_lookup_elem(&filter_ports, &remote_port);
	if ((a && *a == FILTER_EXCLUDE) || (b && *b == FILTER_EXCLUDE))
		return true;
	return (filter_use & FILTER_PORTS_INCLUDE) && !a && !b;
}

static __always_inline bool owner_filtered(__u32 tgid, __u64 cgroup_id)
{
	const __u8 *verdict;

	if (filter_use & FILTER_TGIDS) {
		verdict = bpf_map_lookup_elem(&filter_tgids, &tgid);
		if (verdict ? *verdict == FILTER_EXCLUDE : (filter_use & FILTER_TGIDS_INCLUDE) != 0)
			return true;
	}
	if (filter_use & FILTER_CGROUPS) {
		verdict = bpf_map_lookup_elem(&filter_cgroups, &cgroup_id);
		if (verdict ? *verdict == FILTER_EXCLUDE : (filter_use & FILTER_CGROUPS_INCLUDE) != 0)
			return true;
	}
	return false;
}

#endif
