/* GPIO lines through libgpiod, the same for its 1.6 and 2.x APIs. Results are 0 or -errno. */
#ifndef CGPIOD_H
#define CGPIOD_H

#include <stddef.h>
#include <stdint.h>

/* A chip by its label and a line by its name: chip numbers are no address, they change from kernel to
   kernel. `line` may be a name or, when no line carries it, a decimal offset.
   -ENODEV: no chip has the label; -ENOENT: the chip has no such line; -EACCES: chips may not be opened. */
typedef struct {
  char path[64];
  unsigned int offset;
} gpio_location;
int gpio_find(const char *label, const char *line, gpio_location *found);

/* The same for several lines: every chip is opened once. */
typedef struct gpio_chips gpio_chips;
int gpio_chips_open(gpio_chips **chips);
int gpio_chips_find(gpio_chips *chips, const char *label, const char *line, gpio_location *found);
void gpio_chips_close(gpio_chips *chips);

/* 1 when both lines are of one chip, otherwise 0. */
int gpio_same_chip(const gpio_location *left, const gpio_location *right);

/* Writes who holds the line ("" when nobody does). */
int gpio_consumer(const gpio_location *location, char *consumer, size_t capacity);

enum { GPIO_PULL_AS_IS = 0, GPIO_PULL_UP = 1, GPIO_PULL_DOWN = 2, GPIO_PULL_NONE = 3 };

typedef struct gpio_line gpio_line;

/* Several outputs of one chip in one request: from the same call on each has its first value, all at the same
   instant, and none of them ever shows another. Levels are active or not; each line has its own polarity.
   The kernel takes 64 lines and 31 bytes of `consumer`. */
typedef struct {
  unsigned int offset;
  int active_low;
  int active;
} gpio_output;
typedef struct gpio_outputs gpio_outputs;
enum { GPIO_OUTPUTS_MAX = 64, GPIO_CONSUMER_MAX = 31 };
int gpio_request_outputs(
  const char *path, const char *consumer, const gpio_output *lines, size_t count, gpio_outputs **outputs);
/* Drives the line at `index` of the request and leaves the others as they are. */
int gpio_outputs_set(gpio_outputs *outputs, size_t index, int active);
void gpio_outputs_release(gpio_outputs *outputs);

/* Requests the line as an input with events on both edges; `*debounced` tells whether the kernel does
   the debouncing (libgpiod 1.6 cannot ask for it). Where the chip has no interrupts `*events` is 0. */
int gpio_request_input(
  const gpio_location *location, const char *consumer, int active_low, int pull, uint32_t debounce_us,
  int *debounced, int *events, gpio_line **line);

int gpio_get(gpio_line *line); /* 0, 1 or -errno */
int gpio_fd(gpio_line *line);

/* One queued edge; the fd is readable while there are any. `sequence` counts the line's edges from 1
   (0 where the API does not tell), so that gaps show what was lost. */
typedef struct {
  int active;
  int64_t at;
  uint32_t sequence;
} gpio_edge;
int gpio_read_edge(gpio_line *line, gpio_edge *edge);

void gpio_release(gpio_line *line);

#endif
