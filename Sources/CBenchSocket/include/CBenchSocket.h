/* A blocking connection to loopback, a clock and one line of output: all that the bench client needs
   beside MQTTClient. Results are -errno instead of the errno variable. */
#ifndef CBENCHSOCKET_H
#define CBENCHSOCKET_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* TCP_NODELAY. */
int bench_connect(uint16_t port);
/* Waits for bytes or, when `timeout` is not 0, about that many milliseconds; then -EAGAIN. 0: closed. */
ssize_t bench_receive(int fd, void *buffer, size_t count, int64_t timeout);
/* Waits until all is sent; answers `count`. */
ssize_t bench_send(int fd, const void *bytes, size_t count);
void bench_close(int fd);
/* Milliseconds of the monotonic clock. */
uint64_t bench_now(void);
/* A word of the command line, 0: the program. NULL: there is none. */
const char *bench_argument(int index);
int64_t bench_number(const char *text);
void bench_say(const char *line);
/* Starts the clock of `bench_report`, which prints the line of JSON. */
void bench_begin(void);
void bench_report(const char *what, int qos, int64_t messages);

#endif
