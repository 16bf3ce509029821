/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blocking HTTP/1.1 server that receives and sends by the calls it is told to use, and takes known times.
 *
 *   server port=N [receive=read] [send=write] [body=BYTES] [body_send=HOW] [delay_us=0] [body_delay_us=0]
 *          [read_delay_us=0] [reads=FILE] [model=threads|fork|prefork|reuseport]
 *
 * delay_us: between the request and the head of the response; body_delay_us: between its head and its body (sent
 * apart, as with body_send, which says by which call); read_delay_us: between the arrival of a request and its read;
 * reads: a line for each read with its time by CLOCK_MONOTONIC.
 * model: a thread a connection; a child a connection, accepted by the parent; three children on one listening
 * socket; three children with one each (SO_REUSEPORT). Prints `listening`.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include "calls.h"

static struct {
	const char *receive, *send, *body_send;
	int port;
	long body, delay_us, body_delay_us, read_delay_us;
	FILE *reads;
} o;

static char *response;
static size_t head_length;

/* Answers one connection until the client ends it. */
static void serve(int fd)
{
	enum {
		ROOM = 1 << 16
	};
	char *data = malloc(ROOM);
	size_t have = 0;
	int one = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (;;) {
		char *end = NULL;
		while (!end) {
			if (o.read_delay_us) {
				struct pollfd p = {.fd = fd, .events = POLLIN};
				poll(&p, 1, -1);
				sleep_us(o.read_delay_us);
			}
			int64_t reading = now_ns();
			ssize_t n = receive_once(o.receive, fd, data + have, ROOM - 1 - have);
			if (n <= 0)
				goto out;
			if (o.reads) {
				fprintf(o.reads, "%lld\n", (long long)reading);
				fflush(o.reads);
			}
			have += n;
			data[have] = 0;
			end = strstr(data, "\r\n\r\n");
		}
		char *length = strcasestr(data, "\r\ncontent-length:");
		size_t head = end + 4 - data;
		long long missing = length && length < end ? atoll(length + 17) : 0;
		size_t here = have - head < (size_t)missing ? have - head : (size_t)missing;
		memmove(data, data + head + here, have - head - here);
		have -= head + here;
		for (missing -= here; missing > 0;) {
			ssize_t n = receive_once(o.receive, fd, data, missing < ROOM ? missing : ROOM);
			if (n <= 0)
				goto out;
			missing -= n;
		}
		sleep_us(o.delay_us);
		if (*o.body_send || o.body_delay_us) {
			send_all(o.send, fd, response, head_length);
			sleep_us(o.body_delay_us);
			send_all(*o.body_send ? o.body_send : o.send, fd, response + head_length, o.body);
		} else {
			send_all(o.send, fd, response, head_length + o.body);
		}
	}
out:
	close(fd);
	free(data);
}

static void *serve_thread(void *argument)
{
	serve((int)(long)argument);
	return NULL;
}

static int listen_on(int port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(AF_INET6, SOCK_STREAM, 0), one = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (bind(fd, (void *)&any, sizeof(any)) < 0 || listen(fd, 128) < 0)
		fail("listen");
	return fd;
}

static void accept_for_ever(int listener, int fork_each)
{
	for (;;) {
		pthread_t thread;
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			fail("accept");
		if (!fork_each) {
			pthread_create(&thread, NULL, serve_thread, (void *)(long)fd);
			pthread_detach(thread);
		} else if (fork() == 0) {
			close(listener);
			serve(fd);
			_exit(0);
		} else {
			close(fd);
		}
	}
}

int main(int argc, char **argv)
{
	const char *model = option(argc, argv, "model", "threads");
	o.port = atoi(option(argc, argv, "port", "0"));
	o.receive = option(argc, argv, "receive", "read");
	o.send = option(argc, argv, "send", "write");
	o.body_send = option(argc, argv, "body_send", "");
	o.body = atol(option(argc, argv, "body", "100"));
	o.delay_us = atol(option(argc, argv, "delay_us", "0"));
	o.body_delay_us = atol(option(argc, argv, "body_delay_us", "0"));
	o.read_delay_us = atol(option(argc, argv, "read_delay_us", "0"));
	const char *reads = option(argc, argv, "reads", NULL);
	if (reads && !(o.reads = fopen(reads, "w")))
		fail(reads);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);

	response = malloc(o.body + 200);
	head_length =
		sprintf(response, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %ld\r\n\r\n", o.body);
	memset(response + head_length, 'x', o.body);

	int listener = listen_on(o.port);
	int children = is(model, "prefork") || is(model, "reuseport") ? 3 : 0;
	for (int i = 1; i < children; i++)
		if (fork() == 0) {
			if (is(model, "reuseport"))
				listener = listen_on(o.port);
			accept_for_ever(listener, 0);
		}
	puts("listening");
	fflush(stdout);
	accept_for_ever(listener, is(model, "fork"));
}
