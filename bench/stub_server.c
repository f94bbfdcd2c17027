/* A server that costs next to nothing, so that a client's speed is its own: stub_server PORT [N [awake]].
   It takes one client after the other, answers what must be answered with one write for each read, and keeps
   nothing. After a SUBSCRIBE to bench/rcv/t0 it sends N messages of 64 bytes at the QoS asked for: QoS 0 in
   long runs, QoS 1 and 2 twenty at a time. With a third word it never sleeps, for which it wants a core of its
   own. 3.1.1 and 5.0. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RUN = 200, WINDOW = 20 };

static unsigned char input[1 << 18], output[1 << 18], feed[RUN * 96];
static size_t held, made;
static int is_v5, qos, feed_length, is_awake;
static long to_send, messages, unanswered;

static int send_all(int fd, const void *bytes, size_t count) {
  while (count) {
    ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
    if (sent <= 0) return -1;
    bytes = (const char *)bytes + sent;
    count -= sent;
  }
  return 0;
}

static void answer(int first, const unsigned char *packet_id) {
  unsigned char bytes[4] = {first, 2, packet_id[0], packet_id[1]};
  memcpy(output + made, bytes, 4);
  made += 4;
}

static void make_feed(void) {
  static const char topic[] = "bench/rcv/t0";
  unsigned char *at = feed;
  for (int i = 0; i < RUN; i++) {
    int body = 2 + 12 + (qos ? 2 : 0) + is_v5 + 64;
    *at++ = 0x30 | qos << 1;
    *at++ = body;
    *at++ = 0;
    *at++ = 12;
    at = (unsigned char *)memcpy(at, topic, 12) + 12;
    if (qos) *at++ = 0, *at++ = i % WINDOW + 1;
    if (is_v5) *at++ = 0;
    at = (unsigned char *)memset(at, 'x', 64) + 64;
  }
  feed_length = (at - feed) / RUN;
}

/* Sends what may go now. */
static int feed_more(int fd) {
  while (to_send > 0 && (!qos || unanswered == 0)) {
    long count = qos ? WINDOW : RUN;
    if (count > to_send) count = to_send;
    if (send_all(fd, feed, count * feed_length)) return -1;
    to_send -= count;
    if (qos) unanswered = count;
  }
  return 0;
}

static void handle(const unsigned char *packet, const unsigned char *body, size_t length) {
  switch (packet[0] >> 4) {
  case 1:
    is_v5 = body[6] == 5;
    memcpy(output + made, is_v5 ? "\x20\3\0\0\0" : "\x20\2\0\0", 4 + is_v5);
    made += 4 + is_v5;
    break;
  case 3:
    if (packet[0] & 6) answer(packet[0] & 2 ? 0x40 : 0x50, body + 2 + (body[0] << 8 | body[1]));
    break;
  case 4: unanswered--; break;
  case 5: answer(0x62, body); break;
  case 6: answer(0x70, body); break;
  case 7: unanswered--; break;
  case 8: {
    unsigned char bytes[6] = {0x90, 3 + is_v5, body[0], body[1], 0, 0};
    qos = body[length - 1] & 3;
    bytes[4 + is_v5] = qos;
    memcpy(output + made, bytes, 5 + is_v5);
    made += 5 + is_v5;
    to_send = messages;
    unanswered = 0;
    make_feed();
    break;
  }
  case 12: memcpy(output + made, "\xd0", 2), made += 2; break;
  }
}

static void serve(int fd) {
  held = 0;
  to_send = unanswered = 0;
  for (;;) {
    ssize_t count;
    do count = recv(fd, input + held, sizeof input - held, is_awake ? MSG_DONTWAIT : 0);
    while (is_awake && count < 0 && errno == EAGAIN);
    if (count <= 0) return;
    held += count;
    made = 0;
    size_t at = 0;
    for (;;) {
      size_t length = 0, header = 1;
      int shift = 0, is_whole = 0;
      while (at + header < held && header < 5) {
        length |= (size_t)(input[at + header] & 127) << shift;
        shift += 7;
        if (input[at + header++] < 128) {
          is_whole = at + header + length <= held;
          break;
        }
      }
      if (!is_whole) break;
      handle(input + at, input + at + header, length);
      at += header + length;
    }
    memmove(input, input + at, held - at);
    held -= at;
    if (made && send_all(fd, output, made)) return;
    if (to_send > 0 && feed_more(fd)) return;
  }
}

int main(int argc, char **argv) {
  messages = argc > 2 ? atol(argv[2]) : 0;
  is_awake = argc > 3;
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 8)) {
    perror("stub_server");
    return 1;
  }
  socklen_t size = sizeof address;
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) return 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    serve(fd);
    close(fd);
  }
}
