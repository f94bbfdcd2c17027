/* The client with callbacks, whose thread reads the socket. The other way, without them, sleeps a tenth of a
   second whenever a publisher's window is full. */
#include "peer.h"

#include <MQTTClient.h>
#include <semaphore.h>
#include <unistd.h>

static struct job job;
static sem_t room, arrived;
static MQTTClient client;

static int received(void *context, char *topic, int length, MQTTClient_message *message) {
  (void)context, (void)length;
  if (job.what == ECHO)
    MQTTClient_publish(client, "act/1/state", message->payloadlen, message->payload, job.qos, 0, NULL);
  MQTTClient_freeMessage(&message);
  MQTTClient_free(topic);
  sem_post(&arrived);
  return 1;
}

static void delivered(void *context, MQTTClient_deliveryToken token) {
  (void)context, (void)token;
  sem_post(&room);
}

static void publish(int qos, long count, int window) {
  sem_init(&room, 0, window);
  for (long sent = 0; sent < count; sent++) {
    if (qos) sem_wait(&room);
    if (MQTTClient_publish(client, "bench/pub/t0", 64, peer_payload, qos, 0, NULL)) peer_fail("publish");
  }
  for (int i = 0; qos && i < window; i++) sem_wait(&room);
}

int main(int argc, char **argv) {
  char address[64];
  job = peer_job(argc, argv);
  snprintf(address, sizeof address, "tcp://127.0.0.1:%d", job.port);
  MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
  options.keepAliveInterval = 600;
  options.cleansession = 1;
  options.reliable = 0;
  options.maxInflightMessages = job.window + 1;
  sem_init(&arrived, 0, 0);
  if (MQTTClient_create(&client, address, "paho-c-bench", MQTTCLIENT_PERSISTENCE_NONE, NULL) ||
      MQTTClient_setCallbacks(client, NULL, NULL, received, delivered) ||
      MQTTClient_connect(client, &options))
    peer_fail("no connection");
  if (job.what == PUB) {
    peer_begin();
    publish(job.qos, job.count, job.window);
    if (!job.qos) publish(1, 1, 1);
  } else if (job.what == IDLE) {
    peer_ready();
    peer_begin();
    sleep(job.count);
  } else {
    MQTTClient_subscribe(client, job.what == RECV ? "bench/rcv/t0" : "act/1/set", job.qos);
    peer_ready();
    peer_begin();
    for (long left = job.count; left > 0; left--) sem_wait(&arrived);
    usleep(20000); /* the last acknowledgement */
  }
  peer_report(&job);
  MQTTClient_disconnect(client, 100);
  return 0;
}
