/* The floor: packets made beforehand, one send for each message, one big read, no checks. */
#include "peer.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static int fd;
static unsigned char buffer[1 << 16];
static int held, at;

static void put(const void *bytes, size_t count) {
  if (send(fd, bytes, count, MSG_NOSIGNAL) != (ssize_t)count) peer_fail("send");
}

/* The next packet, of at most 127 bytes. */
static unsigned char *next(void) {
  while (held - at < 2 || held - at < 2 + buffer[at + 1]) {
    memmove(buffer, buffer + at, held - at);
    held -= at;
    at = 0;
    int count = recv(fd, buffer + held, sizeof buffer - held, 0);
    if (count <= 0) peer_fail("the connection ended early");
    held += count;
  }
  unsigned char *found = buffer + at;
  at += 2 + found[1];
  return found;
}

static void connect_to(int port) {
  static const unsigned char hello[] = {0x10, 21, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60,
                                        0, 9, 'r', 'a', 'w', '-', 'b', 'e', 'n', 'c', 'h'};
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) peer_fail("no connection");
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  put(hello, sizeof hello);
  next();
}

static void subscribe(const char *topic, int qos) {
  unsigned char packet[32] = {0x82, 0, 0, 1, 0};
  int length = strlen(topic);
  packet[1] = 5 + length;
  packet[5] = length;
  memcpy(packet + 6, topic, length);
  packet[6 + length] = qos;
  put(packet, 7 + length);
  next();
  peer_ready();
}

static int make_publish(unsigned char *packet, const char *topic, int qos) {
  int length = strlen(topic), place = 4 + length;
  packet[0] = 0x30 | qos << 1;
  packet[2] = 0;
  packet[3] = length;
  memcpy(packet + 4, topic, length);
  if (qos) place += 2;
  memcpy(packet + place, peer_payload, 64);
  packet[1] = place + 64 - 2;
  return place + 64;
}

static void publish(const struct job *job, int qos, long count, int window) {
  unsigned char packet[128];
  int length = make_publish(packet, "bench/pub/t0", qos);
  long left = count, unanswered = 0;
  unsigned short packet_id = 0;
  while (left > 0 || unanswered > 0) {
    while (left > 0 && unanswered < window) {
      if (qos) {
        if (++packet_id == 0) packet_id = 1;
        packet[16] = packet_id >> 8;
        packet[17] = packet_id;
        unanswered++;
      }
      put(packet, length);
      left--;
    }
    if (!qos) continue;
    do {
      unsigned char *answer = next();
      if (answer[0] == 0x50) {
        unsigned char release[4] = {0x62, 2, answer[2], answer[3]};
        put(release, 4);
      } else {
        unanswered--;
      }
    } while (held > at);
  }
  (void)job;
}

static void acknowledge(unsigned char *message) {
  int qos = message[0] >> 1 & 3;
  if (!qos) return;
  unsigned char *id = message + 4 + message[3];
  unsigned char answer[4] = {qos == 1 ? 0x40 : 0x50, 2, id[0], id[1]};
  put(answer, 4);
}

int main(int argc, char **argv) {
  struct job job = peer_job(argc, argv);
  connect_to(job.port);
  if (job.what == PUB) {
    peer_begin();
    publish(&job, job.qos, job.count, job.window);
    if (!job.qos) publish(&job, 1, 1, 1);
  } else if (job.what == IDLE) {
    peer_ready();
    peer_begin();
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    poll(&wait, 1, job.count * 1000);
  } else {
    unsigned char packet[128];
    int length = make_publish(packet, "act/1/state", job.qos);
    subscribe(job.what == RECV ? "bench/rcv/t0" : "act/1/set", job.qos);
    peer_begin();
    for (long left = job.count; left > 0;) {
      unsigned char *message = next();
      if (message[0] == 0x62) {
        unsigned char done[4] = {0x70, 2, message[2], message[3]};
        put(done, 4);
      }
      if (message[0] >> 4 != 3) continue;
      left--;
      if (job.what == ECHO) {
        if (job.qos) packet[15] = 0, packet[16] = 1;
        put(packet, length);
      }
      acknowledge(message);
    }
  }
  peer_report(&job);
  put("\xe0", 2);
  return 0;
}
