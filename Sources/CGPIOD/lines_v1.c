/* Lines through libgpiod 1.6 (Debian and Raspberry Pi OS bookworm). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CGPIOD.h"
#include "versions.h"

#if SWIFTLET_GPIOD_V1
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct gpio_line {
  struct gpiod_chip *chip;
  struct gpiod_line *line;
};

int chip_find_line(struct gpiod_chip *chip, const char *name) {
  struct gpiod_line *line = gpiod_chip_find_line(chip, name);
  return line ? (int)gpiod_line_offset(line) : -1;
}

unsigned int chip_line_count(struct gpiod_chip *chip) { return gpiod_chip_num_lines(chip); }

int chip_has_label(struct gpiod_chip *chip, const char *label) {
  return strcmp(gpiod_chip_label(chip), label) == 0;
}

static int open_line(const gpio_location *location, gpio_line **out) {
  gpio_line *line = calloc(1, sizeof *line);
  if (!line) return -ENOMEM;
  line->chip = gpiod_chip_open(location->path);
  if (line->chip) line->line = gpiod_chip_get_line(line->chip, location->offset);
  if (!line->line) {
    int error = -errno;
    gpio_release(line);
    return error;
  }
  *out = line;
  return 0;
}

static int request(gpio_line *line, const struct gpiod_line_request_config *config, int value) {
  if (gpiod_line_request(line->line, config, value) == 0) return 0;
  return -errno;
}

int gpio_consumer(const gpio_location *location, char *consumer, size_t capacity) {
  gpio_line *line = NULL;
  int error = open_line(location, &line);
  if (error) return error;
  const char *name = gpiod_line_is_used(line->line) ? gpiod_line_consumer(line->line) : "";
  strncpy(consumer, name ? name : "the kernel", capacity - 1);
  consumer[capacity - 1] = 0;
  gpio_release(line);
  return 0;
}

struct gpio_outputs {
  struct gpiod_chip *chip;
  struct gpiod_line_bulk lines;
  int active_low[GPIO_OUTPUTS_MAX];
  int levels[GPIO_OUTPUTS_MAX]; /* on the wire: flags of this API are for all lines of a request */
};

int gpio_request_outputs(
  const char *path, const char *consumer, const gpio_output *lines, size_t count, gpio_outputs **out) {
  if (count == 0 || count > GPIO_OUTPUTS_MAX) return -EINVAL;
  gpio_outputs *outputs = calloc(1, sizeof *outputs);
  if (!outputs) return -ENOMEM;
  gpiod_line_bulk_init(&outputs->lines);
  outputs->chip = gpiod_chip_open(path);
  int error = outputs->chip ? 0 : -errno;
  for (size_t i = 0; !error && i < count; i++) {
    struct gpiod_line *line = gpiod_chip_get_line(outputs->chip, lines[i].offset);
    if (!line) error = -errno;
    else gpiod_line_bulk_add(&outputs->lines, line);
    outputs->active_low[i] = lines[i].active_low != 0;
    outputs->levels[i] = (lines[i].active != 0) != outputs->active_low[i];
  }
  struct gpiod_line_request_config config = {
    .consumer = consumer,
    .request_type = GPIOD_LINE_REQUEST_DIRECTION_OUTPUT,
  };
  if (!error && gpiod_line_request_bulk(&outputs->lines, &config, outputs->levels) < 0) error = -errno;
  if (error) gpio_outputs_release(outputs);
  else *out = outputs;
  return error;
}

/* This library sets the first lines of the request, and the rest low, when it is given fewer than were requested,
   whichever they are: so always all of them. */
int gpio_outputs_set(gpio_outputs *outputs, size_t index, int active) {
  int before = outputs->levels[index];
  outputs->levels[index] = (active != 0) != outputs->active_low[index];
  if (gpiod_line_set_value_bulk(&outputs->lines, outputs->levels) == 0) return 0;
  int error = -errno;
  outputs->levels[index] = before;
  return error;
}

/* Closing the chip releases its lines. */
void gpio_outputs_release(gpio_outputs *outputs) {
  if (outputs->chip) gpiod_chip_close(outputs->chip);
  free(outputs);
}

int gpio_request_input(
  const gpio_location *location, const char *consumer, int active_low, int pull, uint32_t debounce_us,
  int *debounced, int *events, gpio_line **out) {
  gpio_line *line = NULL;
  int error = open_line(location, &line);
  if (error) return error;
  struct gpiod_line_request_config config = {
    .consumer = consumer,
    .request_type = GPIOD_LINE_REQUEST_EVENT_BOTH_EDGES,
    .flags = active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0,
  };
  if (pull == GPIO_PULL_UP) config.flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP;
  if (pull == GPIO_PULL_DOWN) config.flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN;
  if (pull == GPIO_PULL_NONE) config.flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE;
  *debounced = debounce_us == 0;
  *events = 1;
  error = request(line, &config, 0);
  if (error == -ENXIO || error == -EINVAL || error == -ENOTSUP) {
    *events = 0;
    config.request_type = GPIOD_LINE_REQUEST_DIRECTION_INPUT;
    error = request(line, &config, 0);
  }
  if (error) gpio_release(line);
  else *out = line;
  return error;
}

int gpio_get(gpio_line *line) {
  int value = gpiod_line_get_value(line->line);
  return value < 0 ? -errno : value;
}

int gpio_fd(gpio_line *line) { return gpiod_line_event_get_fd(line->line); }

int gpio_read_edge(gpio_line *line, gpio_edge *edge) {
  struct gpiod_line_event event;
  if (gpiod_line_event_read(line->line, &event) < 0) return -errno;
  edge->active = event.event_type == GPIOD_LINE_EVENT_RISING_EDGE;
  edge->at = (int64_t)event.ts.tv_sec * 1000000000 + event.ts.tv_nsec;
  edge->sequence = 0;
  return 0;
}

void gpio_release(gpio_line *line) {
  if (line->line) gpiod_line_release(line->line);
  if (line->chip) gpiod_chip_close(line->chip);
  free(line);
}
#endif
