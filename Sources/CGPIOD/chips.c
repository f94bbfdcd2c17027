/* Finding chips and lines: what both versions of libgpiod share but for the names of two calls. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CGPIOD.h"
#include "versions.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A chip that could be opened, in a list. */
struct gpio_chip {
  struct gpio_chip *next;
  struct gpiod_chip *chip;
  char path[sizeof(((gpio_location *)0)->path)];
};

struct gpio_chips {
  struct gpio_chip *first;
  int denied;
};

/* Chips that cannot be opened are left out: they may have gone since the directory was read. */
static int add_chip(gpio_chips *chips, const char *name) {
  struct gpio_chip *entry = calloc(1, sizeof *entry);
  if (!entry) return -ENOMEM;
  if (strlen(name) + 6 <= sizeof entry->path) {
    memcpy(entry->path, "/dev/", 5);
    memcpy(entry->path + 5, name, strlen(name) + 1);
    entry->chip = gpiod_chip_open(entry->path);
    if (!entry->chip && (errno == EACCES || errno == EPERM)) chips->denied = 1;
  }
  if (!entry->chip) {
    free(entry);
    return 0;
  }
  entry->next = chips->first;
  chips->first = entry;
  return 0;
}

int gpio_chips_open(gpio_chips **out) {
  gpio_chips *chips = calloc(1, sizeof *chips);
  if (!chips) return -ENOMEM;
  DIR *devices = opendir("/dev");
  int error = devices ? 0 : -errno;
  struct dirent *entry;
  while (!error && (entry = readdir(devices)))
    if (strncmp(entry->d_name, "gpiochip", 8) == 0) error = add_chip(chips, entry->d_name);
  if (devices) closedir(devices);
  if (error) gpio_chips_close(chips);
  else *out = chips;
  return error;
}

void gpio_chips_close(gpio_chips *chips) {
  while (chips->first) {
    struct gpio_chip *entry = chips->first;
    chips->first = entry->next;
    gpiod_chip_close(entry->chip);
    free(entry);
  }
  free(chips);
}

static int line_offset(struct gpiod_chip *chip, const char *line, unsigned int *offset) {
  int found = chip_find_line(chip, line);
  if (found >= 0) {
    *offset = (unsigned int)found;
    return 0;
  }
  char *end = NULL;
  unsigned long number = strtoul(line, &end, 10);
  if (*line < '0' || *line > '9' || *end || number >= chip_line_count(chip)) return -ENOENT;
  *offset = (unsigned int)number;
  return 0;
}

int gpio_chips_find(gpio_chips *chips, const char *label, const char *line, gpio_location *found) {
  int answer = chips->denied ? -EACCES : -ENODEV;
  for (struct gpio_chip *entry = chips->first; entry; entry = entry->next) {
    if (!chip_has_label(entry->chip, label)) continue;
    /* Two chips may share a label (Pi 5): a missing line on one says nothing about the other. */
    answer = line_offset(entry->chip, line, &found->offset);
    if (answer) continue;
    memcpy(found->path, entry->path, sizeof found->path);
    return 0;
  }
  return answer;
}

int gpio_find(const char *label, const char *line, gpio_location *found) {
  gpio_chips *chips = NULL;
  int error = gpio_chips_open(&chips);
  if (error) return error;
  error = gpio_chips_find(chips, label, line, found);
  gpio_chips_close(chips);
  return error;
}

int gpio_same_chip(const gpio_location *left, const gpio_location *right) {
  return strcmp(left->path, right->path) == 0;
}
