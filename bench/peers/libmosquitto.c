#include "peer.h"

#include <mosquitto.h>

static struct job job;
static long left, unanswered;
static int is_connected;

static void connected(struct mosquitto *client, void *context, int code) {
  (void)client, (void)context;
  if (code) peer_fail("refused");
  is_connected = 1;
}

static void subscribed(struct mosquitto *client, void *context, int id, int count, const int *granted) {
  (void)client, (void)context, (void)id, (void)count, (void)granted;
  peer_ready();
  peer_begin();
}

static void published(struct mosquitto *client, void *context, int id) {
  (void)client, (void)context, (void)id;
  unanswered--;
}

static void received(struct mosquitto *client, void *context, const struct mosquitto_message *message) {
  (void)context;
  left--;
  if (job.what == ECHO)
    mosquitto_publish(client, NULL, "act/1/state", message->payloadlen, message->payload, job.qos, false);
}

static void turn(struct mosquitto *client) {
  if (mosquitto_loop(client, 1000, 1)) peer_fail("the connection ended early");
}

static void publish(struct mosquitto *client, int qos, long count, int window) {
  left = count;
  while (left > 0 || unanswered > 0) {
    while (left > 0 && unanswered < window) {
      if (mosquitto_publish(client, NULL, "bench/pub/t0", 64, peer_payload, qos, false))
        peer_fail("publish");
      left--;
      unanswered++;
      if (mosquitto_want_write(client)) mosquitto_loop_write(client, 1);
    }
    if (unanswered > 0) turn(client);
  }
}

int main(int argc, char **argv) {
  job = peer_job(argc, argv);
  mosquitto_lib_init();
  struct mosquitto *client = mosquitto_new("libmosquitto-bench", true, NULL);
  mosquitto_connect_callback_set(client, connected);
  mosquitto_subscribe_callback_set(client, subscribed);
  mosquitto_publish_callback_set(client, published);
  mosquitto_message_callback_set(client, received);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(client, MOSQ_OPT_SEND_MAXIMUM, job.window);
  if (mosquitto_connect(client, "127.0.0.1", job.port, 600)) peer_fail("no connection");
  while (!is_connected) turn(client);
  if (job.what == PUB) {
    peer_begin();
    publish(client, job.qos, job.count, job.window);
    if (!job.qos) publish(client, 1, 1, 1);
  } else if (job.what == IDLE) {
    struct timespec begin, now;
    peer_ready();
    peer_begin();
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
      turn(client);
      clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - begin.tv_sec < job.count);
  } else {
    left = job.count;
    mosquitto_subscribe(client, NULL, job.what == RECV ? "bench/rcv/t0" : "act/1/set", job.qos);
    while (left > 0) turn(client);
    while (mosquitto_want_write(client)) turn(client);
  }
  peer_report(&job);
  mosquitto_disconnect(client);
  return 0;
}
