#define _GNU_SOURCE
#include "CBenchSocket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct {
  int count;
  char **words;
} arguments;
static int64_t receive_timeout;
static int64_t begun;

/* glibc calls constructors with main's arguments. */
__attribute__((constructor)) static void keep_arguments(int count, char **words) {
  arguments.count = count;
  arguments.words = words;
}

const char *bench_argument(int index) {
  return index < arguments.count ? arguments.words[index] : NULL;
}

int64_t bench_number(const char *text) { return text ? strtoll(text, NULL, 10) : 0; }

int bench_connect(uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    int error = errno;
    close(fd);
    return -error;
  }
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  receive_timeout = 0;
  return fd;
}

ssize_t bench_receive(int fd, void *buffer, size_t count, int64_t timeout) {
  /* Deadlines move with every message: a quarter of a second is near enough, and saves a call each time. */
  if (llabs(timeout - receive_timeout) > 250 || !timeout != !receive_timeout) {
    receive_timeout = timeout;
    struct timeval value = {.tv_sec = timeout / 1000, .tv_usec = timeout % 1000 * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value);
  }
  ssize_t received = recv(fd, buffer, count, 0);
  return received < 0 ? -errno : received;
}

ssize_t bench_send(int fd, const void *bytes, size_t count) {
  size_t sent = 0;
  while (sent < count) {
    ssize_t result = send(fd, (const char *)bytes + sent, count - sent, MSG_NOSIGNAL);
    if (result < 0 && errno != EINTR) return -errno;
    if (result > 0) sent += result;
  }
  return sent;
}

void bench_close(int fd) { close(fd); }

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

uint64_t bench_now(void) { return nanoseconds() / 1000000; }

void bench_say(const char *line) {
  puts(line);
  fflush(stdout);
}

void bench_begin(void) { begun = nanoseconds(); }

void bench_report(const char *what, int qos, int64_t messages) {
  double seconds = (nanoseconds() - begun) / 1e9;
  printf("{\"case\": \"%s\", \"qos\": %d, \"messages\": %lld, \"seconds\": %.6f, \"per_second\": %.0f}\n",
         what, qos, (long long)messages, seconds, messages / seconds);
  fflush(stdout);
}
