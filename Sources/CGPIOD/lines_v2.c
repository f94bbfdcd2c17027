/* Lines through libgpiod 2.x (Debian and Raspberry Pi OS trixie). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CGPIOD.h"
#include "versions.h"

#if !SWIFTLET_GPIOD_V1
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct gpio_line {
  struct gpiod_line_request *request;
  struct gpiod_edge_event_buffer *edges;
  unsigned int offset;
};

int chip_find_line(struct gpiod_chip *chip, const char *name) {
  return gpiod_chip_get_line_offset_from_name(chip, name);
}

static int with_info(struct gpiod_chip *chip, unsigned int *lines, const char *label) {
  struct gpiod_chip_info *info = gpiod_chip_get_info(chip);
  if (!info) return 0;
  if (lines) *lines = (unsigned int)gpiod_chip_info_get_num_lines(info);
  int same = label && strcmp(gpiod_chip_info_get_label(info), label) == 0;
  gpiod_chip_info_free(info);
  return same;
}

unsigned int chip_line_count(struct gpiod_chip *chip) {
  unsigned int lines = 0;
  with_info(chip, &lines, NULL);
  return lines;
}

int chip_has_label(struct gpiod_chip *chip, const char *label) { return with_info(chip, NULL, label); }

int gpio_consumer(const gpio_location *location, char *consumer, size_t capacity) {
  struct gpiod_chip *chip = gpiod_chip_open(location->path);
  if (!chip) return -errno;
  struct gpiod_line_info *info = gpiod_chip_get_line_info(chip, location->offset);
  int error = info ? 0 : -errno;
  if (info) {
    const char *name = gpiod_line_info_is_used(info) ? gpiod_line_info_get_consumer(info) : "";
    strncpy(consumer, name ? name : "the kernel", capacity - 1);
    consumer[capacity - 1] = 0;
    gpiod_line_info_free(info);
  }
  gpiod_chip_close(chip);
  return error;
}

static int request(
  const gpio_location *location, const char *consumer, struct gpiod_line_settings *settings, gpio_line **out) {
  int error = -ENOMEM;
  gpio_line *line = calloc(1, sizeof *line);
  struct gpiod_chip *chip = gpiod_chip_open(location->path);
  if (!chip) error = -errno;
  struct gpiod_line_config *lines = gpiod_line_config_new();
  struct gpiod_request_config *config = gpiod_request_config_new();
  if (line && chip && lines && config) {
    gpiod_request_config_set_consumer(config, consumer);
    gpiod_request_config_set_event_buffer_size(config, 64);
    line->offset = location->offset;
    line->edges = gpiod_edge_event_buffer_new(1);
    if (line->edges && gpiod_line_config_add_line_settings(lines, &line->offset, 1, settings) == 0)
      line->request = gpiod_chip_request_lines(chip, config, lines);
    error = line->request ? 0 : -errno;
  }
  if (config) gpiod_request_config_free(config);
  if (lines) gpiod_line_config_free(lines);
  if (chip) gpiod_chip_close(chip);
  if (error && line) gpio_release(line);
  else *out = line;
  return error;
}

struct gpio_outputs {
  struct gpiod_line_request *request;
  unsigned int offsets[GPIO_OUTPUTS_MAX];
};

static int add_output(struct gpiod_line_config *config, struct gpiod_line_settings *settings, const gpio_output *line) {
  gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_OUTPUT);
  gpiod_line_settings_set_active_low(settings, line->active_low != 0);
  gpiod_line_settings_set_output_value(
    settings, line->active ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE);
  return gpiod_line_config_add_line_settings(config, &line->offset, 1, settings) < 0 ? -errno : 0;
}

int gpio_request_outputs(
  const char *path, const char *consumer, const gpio_output *lines, size_t count, gpio_outputs **out) {
  if (count == 0 || count > GPIO_OUTPUTS_MAX) return -EINVAL;
  int error = 0;
  gpio_outputs *outputs = calloc(1, sizeof *outputs);
  struct gpiod_chip *chip = gpiod_chip_open(path);
  if (!chip) error = -errno;
  struct gpiod_line_config *config = gpiod_line_config_new();
  struct gpiod_line_settings *settings = gpiod_line_settings_new();
  struct gpiod_request_config *request = gpiod_request_config_new();
  if (!error && (!outputs || !config || !settings || !request)) error = -ENOMEM;
  for (size_t i = 0; !error && i < count; i++) {
    outputs->offsets[i] = lines[i].offset;
    error = add_output(config, settings, &lines[i]);
  }
  if (!error) {
    gpiod_request_config_set_consumer(request, consumer);
    outputs->request = gpiod_chip_request_lines(chip, request, config);
    if (!outputs->request) error = -errno;
  }
  if (request) gpiod_request_config_free(request);
  if (settings) gpiod_line_settings_free(settings);
  if (config) gpiod_line_config_free(config);
  if (chip) gpiod_chip_close(chip);
  if (!error) *out = outputs;
  else if (outputs) gpio_outputs_release(outputs);
  return error;
}

int gpio_outputs_set(gpio_outputs *outputs, size_t index, int active) {
  enum gpiod_line_value value = active ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE;
  return gpiod_line_request_set_value(outputs->request, outputs->offsets[index], value) < 0 ? -errno : 0;
}

void gpio_outputs_release(gpio_outputs *outputs) {
  if (outputs->request) gpiod_line_request_release(outputs->request);
  free(outputs);
}

int gpio_request_input(
  const gpio_location *location, const char *consumer, int active_low, int pull, uint32_t debounce_us,
  int *debounced, int *events, gpio_line **out) {
  static const enum gpiod_line_bias biases[] = {
    [GPIO_PULL_AS_IS] = GPIOD_LINE_BIAS_AS_IS,
    [GPIO_PULL_UP] = GPIOD_LINE_BIAS_PULL_UP,
    [GPIO_PULL_DOWN] = GPIOD_LINE_BIAS_PULL_DOWN,
    [GPIO_PULL_NONE] = GPIOD_LINE_BIAS_DISABLED,
  };
  struct gpiod_line_settings *settings = gpiod_line_settings_new();
  if (!settings) return -ENOMEM;
  gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_INPUT);
  gpiod_line_settings_set_active_low(settings, active_low != 0);
  gpiod_line_settings_set_bias(settings, biases[pull]);
  gpiod_line_settings_set_edge_detection(settings, GPIOD_LINE_EDGE_BOTH);
  gpiod_line_settings_set_debounce_period_us(settings, debounce_us);
  *debounced = 1;
  *events = 1;
  int error = request(location, consumer, settings, out);
  if (error == -ENXIO || error == -EINVAL || error == -ENOTSUP) {
    *events = 0;
    gpiod_line_settings_set_edge_detection(settings, GPIOD_LINE_EDGE_NONE);
    gpiod_line_settings_set_debounce_period_us(settings, 0);
    error = request(location, consumer, settings, out);
  }
  gpiod_line_settings_free(settings);
  return error;
}

int gpio_get(gpio_line *line) {
  enum gpiod_line_value value = gpiod_line_request_get_value(line->request, line->offset);
  return value == GPIOD_LINE_VALUE_ERROR ? -errno : value == GPIOD_LINE_VALUE_ACTIVE;
}

int gpio_fd(gpio_line *line) { return gpiod_line_request_get_fd(line->request); }

int gpio_read_edge(gpio_line *line, gpio_edge *edge) {
  if (gpiod_line_request_read_edge_events(line->request, line->edges, 1) < 0) return -errno;
  struct gpiod_edge_event *event = gpiod_edge_event_buffer_get_event(line->edges, 0);
  edge->active = gpiod_edge_event_get_event_type(event) == GPIOD_EDGE_EVENT_RISING_EDGE;
  edge->at = (int64_t)gpiod_edge_event_get_timestamp_ns(event);
  edge->sequence = (uint32_t)gpiod_edge_event_get_line_seqno(event);
  return 0;
}

void gpio_release(gpio_line *line) {
  if (line->request) gpiod_line_request_release(line->request);
  if (line->edges) gpiod_edge_event_buffer_free(line->edges);
  free(line);
}
#endif
