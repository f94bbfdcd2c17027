/* The command line and the line of JSON that all bench clients share. */
#ifndef PEER_H
#define PEER_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct job {
  enum { PUB, RECV, ECHO, IDLE } what;
  const char *name;
  int port, qos, window;
  long count;
};

static struct timespec peer_begun;

static inline void peer_begin(void) { clock_gettime(CLOCK_MONOTONIC, &peer_begun); }

static inline void peer_ready(void) {
  puts("READY");
  fflush(stdout);
}

static inline void peer_report(const struct job *job) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  double seconds = now.tv_sec - peer_begun.tv_sec + (now.tv_nsec - peer_begun.tv_nsec) / 1e9;
  printf("{\"case\": \"%s\", \"qos\": %d, \"messages\": %ld, \"seconds\": %.6f, \"per_second\": %.0f}\n",
         job->name, job->qos, job->count, seconds, job->count / seconds);
  fflush(stdout);
}

static inline struct job peer_job(int argc, char **argv) {
  struct job job = {.window = 20};
  if (argc >= 6 && !strcmp(argv[1], "pub")) {
    job.what = PUB, job.qos = atoi(argv[3]), job.count = atol(argv[4]), job.window = atoi(argv[5]);
  } else if (argc >= 5 && (!strcmp(argv[1], "recv") || !strcmp(argv[1], "echo"))) {
    job.what = argv[1][0] == 'r' ? RECV : ECHO, job.count = atol(argv[3]), job.qos = atoi(argv[4]);
  } else if (argc >= 4 && !strcmp(argv[1], "idle")) {
    job.what = IDLE, job.count = atol(argv[3]);
  } else {
    fputs("usage: pub PORT QOS N WINDOW | recv PORT N QOS | echo PORT N QOS | idle PORT SECS\n", stderr);
    exit(64);
  }
  job.name = argv[1];
  job.port = atoi(argv[2]);
  return job;
}

static inline void peer_fail(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(70);
}

static const char peer_payload[65] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
#endif
