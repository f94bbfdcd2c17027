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

/* Writes who holds the line ("" when nobody does). */
int gpio_consumer(const gpio_location *location, char *consumer, size_t capacity);

enum { GPIO_PULL_AS_IS = 0, GPIO_PULL_UP = 1, GPIO_PULL_DOWN = 2, GPIO_PULL_NONE = 3 };

typedef struct gpio_line gpio_line;

/* Requests the line as an output that has its first value from the same call on: it never shows another. */
int gpio_request_output(
  const gpio_location *location, const char *consumer, int active_low, int active, gpio_line **line);

/* Requests the line as an input with events on both edges; `*debounced` tells whether the kernel does
   the debouncing (libgpiod 1.6 cannot ask for it). Where the chip has no interrupts `*events` is 0. */
int gpio_request_input(
  const gpio_location *location, const char *consumer, int active_low, int pull, uint32_t debounce_us,
  int *debounced, int *events, gpio_line **line);

int gpio_set(gpio_line *line, int active);
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
