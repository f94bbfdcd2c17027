/* Round trips through a server: pinger PORT N QOS. Publishes act/1/set, waits for act/1/state, N times after a
   tenth as many to warm up; prints median and 99th percentile in microseconds. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static unsigned char buffer[4096];
static int fd, held, at;

static unsigned char *next(void) {
  while (held - at < 2 || held - at < 2 + buffer[at + 1]) {
    memmove(buffer, buffer + at, held - at);
    held -= at;
    at = 0;
    int count = recv(fd, buffer + held, sizeof buffer - held, 0);
    if (count <= 0) exit(70);
    held += count;
  }
  unsigned char *found = buffer + at;
  at += 2 + found[1];
  return found;
}

static void put(const void *bytes, size_t count) {
  if (send(fd, bytes, count, MSG_NOSIGNAL) != (ssize_t)count) exit(70);
}

static int order(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc < 4) return 64;
  int qos = atoi(argv[3]), on = 1;
  long count = atol(argv[2]), warm_up = count / 10;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) return 69;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  put("\x10\x12\0\4MQTT\4\2\2\x58\0\6pinger", 20);
  next();
  unsigned char subscribe[18] = "\x82\x10\0\1\0\x0b" "act/1/state";
  subscribe[17] = qos;
  put(subscribe, 18);
  next();
  unsigned char packet[128] = {0x30 | qos << 1, 0, 0, 9};
  memcpy(packet + 4, "act/1/set", 9);
  int length = 13;
  if (qos) packet[length++] = 0, packet[length++] = 1;
  memset(packet + length, 'x', 64);
  length += 64;
  packet[1] = length - 2;
  int64_t *times = calloc(count, sizeof *times);
  for (long i = -warm_up; i < count; i++) {
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    put(packet, length);
    int is_back = 0, is_acknowledged = !qos;
    while (!is_back || !is_acknowledged) {
      unsigned char *answer = next();
      if (answer[0] >> 4 == 4) is_acknowledged = 1;
      if (answer[0] >> 4 != 3) continue;
      is_back = 1;
      clock_gettime(CLOCK_MONOTONIC, &end);
      if (qos) {
        unsigned char done[4] = {0x40, 2, answer[4 + answer[3]], answer[5 + answer[3]]};
        put(done, 4);
      }
    }
    if (i >= 0) times[i] = (end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec - begin.tv_nsec;
  }
  qsort(times, count, sizeof *times, order);
  printf("%.3f %.3f\n", times[count / 2] / 1e3, times[count * 99 / 100] / 1e3);
  put("\xe0", 2);
  return 0;
}
