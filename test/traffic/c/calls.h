/* SPDX-License-Identifier: Apache-2.0 */
/* Every way of moving bytes over a stream socket, by name. */
#ifndef CALLS_H
#define CALLS_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static inline int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline void sleep_us(long us)
{
	struct timespec t = {us / 1000000, us % 1000000 * 1000};
	if (us > 0)
		nanosleep(&t, NULL);
}

static inline int is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* The value of the argument `key=value`, or the fallback. */
static const char *option(int argc, char **argv, const char *key, const char *fallback)
{
	size_t length = strlen(key);
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], key, length) == 0 && argv[i][length] == '=')
			return argv[i] + length + 1;
	return fallback;
}

/* Cuts the bytes into three: a few, a few more, the rest. */
static inline int three(struct iovec *v, const void *data, size_t length)
{
	char *p = (char *)data;
	size_t first = length > 20 ? 7 : length, second = length > 20 ? 10 : 0;
	v[0] = (struct iovec){p, first};
	v[1] = (struct iovec){p + first, second};
	v[2] = (struct iovec){p + first + second, length - first - second};
	return 3;
}

static inline void pipe_of(int ends[2])
{
	static _Thread_local int kept[2] = {-1, -1};
	if (kept[0] < 0 && pipe(kept) < 0)
		fail("pipe");
	ends[0] = kept[0];
	ends[1] = kept[1];
}

static ssize_t send_once(const char *how, int fd, const char *data, size_t length)
{
	struct iovec v[3];
	struct msghdr m = {.msg_iov = v};
	if (is(how, "write"))
		return write(fd, data, length);
	if (is(how, "send"))
		return send(fd, data, length, MSG_NOSIGNAL);
	if (is(how, "sendto"))
		return sendto(fd, data, length, MSG_NOSIGNAL, NULL, 0);
	if (is(how, "writev"))
		return writev(fd, v, three(v, data, length));
	if (is(how, "sendmsg")) {
		m.msg_iovlen = three(v, data, length);
		return sendmsg(fd, &m, MSG_NOSIGNAL);
	}
	if (is(how, "sendmmsg")) { /* two messages in one call */
		struct mmsghdr both[2] = {0};
		size_t half = length / 2;
		v[0] = (struct iovec){(char *)data, half};
		v[1] = (struct iovec){(char *)data + half, length - half};
		for (int i = 0; i < 2; i++) {
			both[i].msg_hdr.msg_iov = &v[i];
			both[i].msg_hdr.msg_iovlen = 1;
		}
		int n = sendmmsg(fd, both, 2, MSG_NOSIGNAL);
		return n < 0 ? n : both[0].msg_len + (n > 1 ? both[1].msg_len : 0);
	}
	if (is(how, "sendfile")) {
		int file = memfd_create("body", 0);
		off_t at = 0;
		if (write(file, data, length) != (ssize_t)length)
			fail("memfd");
		ssize_t n = sendfile(fd, file, &at, length);
		close(file);
		return n;
	}
	if (is(how, "splice")) {
		int ends[2];
		pipe_of(ends);
		ssize_t in = write(ends[1], data, length > 32768 ? 32768 : length);
		ssize_t out = 0;
		while (out < in) {
			ssize_t n = splice(ends[0], NULL, fd, NULL, in - out, 0);
			if (n <= 0)
				fail("splice");
			out += n;
		}
		return out;
	}
	if (is(how, "nonblock")) {
		ssize_t n = send(fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = {.fd = fd, .events = POLLOUT};
			poll(&p, 1, -1);
			return 0;
		}
		return n;
	}
	fprintf(stderr, "no way to send is called %s\n", how);
	exit(2);
}

static void send_all(const char *how, int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t n = send_once(how, fd, data, length);
		if (n < 0)
			fail(how);
		data += n;
		length -= n;
	}
}

/* Receives once; 0 at the end of the stream. With `trunc` the bytes are thrown away by the kernel. */
static ssize_t receive_once(const char *how, int fd, char *data, size_t room)
{
	struct iovec v[3];
	struct msghdr m = {.msg_iov = v};
	if (is(how, "read"))
		return read(fd, data, room);
	if (is(how, "recv"))
		return recv(fd, data, room, 0);
	if (is(how, "recvfrom"))
		return recvfrom(fd, data, room, 0, NULL, NULL);
	if (is(how, "readv"))
		return readv(fd, v, three(v, data, room));
	if (is(how, "recvmsg")) {
		m.msg_iovlen = three(v, data, room);
		return recvmsg(fd, &m, 0);
	}
	if (is(how, "recvmmsg")) {
		struct mmsghdr both[2] = {0};
		size_t half = room / 2;
		v[0] = (struct iovec){data, half};
		v[1] = (struct iovec){data + half, room - half};
		for (int i = 0; i < 2; i++) {
			both[i].msg_hdr.msg_iov = &v[i];
			both[i].msg_hdr.msg_iovlen = 1;
		}
		int n = recvmmsg(fd, both, 2, MSG_WAITFORONE, NULL);
		if (n < 0)
			return n;
		if (n > 1 && both[0].msg_len < half)
			memmove(data + both[0].msg_len, data + half, both[1].msg_len);
		return both[0].msg_len + (n > 1 ? both[1].msg_len : 0);
	}
	if (is(how, "peek")) {
		ssize_t n = recv(fd, data, room, MSG_PEEK);
		return n <= 0 ? n : recv(fd, data, n, 0);
	}
	if (is(how, "trunc"))
		return recv(fd, data, room, MSG_TRUNC);
	if (is(how, "nonblock")) { /* as event loops do: try, be refused, wait, try again */
		for (;;) {
			ssize_t n = recv(fd, data, room, MSG_DONTWAIT);
			if (n >= 0 || errno != EAGAIN)
				return n;
			struct pollfd p = {.fd = fd, .events = POLLIN};
			poll(&p, 1, -1);
		}
	}
	if (is(how, "splice")) {
		int ends[2];
		pipe_of(ends);
		ssize_t n = splice(fd, NULL, ends[1], NULL, room > 32768 ? 32768 : room, 0);
		for (ssize_t at = 0; at < n;) {
			ssize_t got = read(ends[0], data + at, n - at);
			if (got <= 0)
				fail("pipe");
			at += got;
		}
		return n;
	}
	fprintf(stderr, "no way to receive is called %s\n", how);
	exit(2);
}

#endif
