/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hold_hooks OBJECT: attaches every program of OBJECT and switches the kernel's run-time statistics on, says
 * "ready", and holds both until its standard input ends. Everything hangs on file descriptors of this process:
 * when it dies, by whatever cause, the programs and the statistics are gone.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct bpf_program *program;
	struct bpf_object *object;
	char byte;
	int error;

	if (argc != 2) {
		fprintf(stderr, "usage: hold_hooks OBJECT\n");
		return 2;
	}
	object = bpf_object__open_file(argv[1], NULL);
	error = libbpf_get_error(object);
	if (!error)
		error = bpf_object__load(object);
	if (error) {
		fprintf(stderr, "cannot load %s: %s\n", argv[1], strerror(-error));
		return 3;
	}
	bpf_object__for_each_program(program, object) {
		error = libbpf_get_error(bpf_program__attach(program));
		if (error) {
			fprintf(stderr, "cannot attach %s: %s\n", bpf_program__name(program), strerror(-error));
			return 3;
		}
	}
	if (bpf_enable_stats(BPF_STATS_RUN_TIME) < 0) {
		perror("cannot switch on the run-time statistics");
		return 3;
	}
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
