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

static int line_offset(struct gpiod_chip *chip, const char *line, unsigned int *offset) {
  int found = chip_find_line(chip, line);
  if (found >= 0) {
    *offset = (unsigned int)found;
    return 0;
  }
  char *end = NULL;
  unsigned long number = strtoul(line, &end, 10);
  if (!*line || *end || number >= chip_line_count(chip)) return -ENOENT;
  *offset = (unsigned int)number;
  return 0;
}

/* 1: found, 0: not this chip, otherwise -errno. */
static int examine(const char *name, const char *label, const char *line, gpio_location *found) {
  if (strlen(name) + 6 > sizeof found->path) return 0;
  memcpy(found->path, "/dev/", 5);
  memcpy(found->path + 5, name, strlen(name) + 1);
  struct gpiod_chip *chip = gpiod_chip_open(found->path);
  if (!chip) return errno == EACCES || errno == EPERM ? -EACCES : 0;
  int result = 0;
  if (chip_has_label(chip, label)) {
    result = line_offset(chip, line, &found->offset);
    if (result == 0) result = 1;
  }
  gpiod_chip_close(chip);
  return result;
}

int gpio_find(const char *label, const char *line, gpio_location *found) {
  DIR *devices = opendir("/dev");
  if (!devices) return -errno;
  int answer = -ENODEV;
  struct dirent *entry;
  while (answer != 1 && (entry = readdir(devices))) {
    if (strncmp(entry->d_name, "gpiochip", 8) != 0) continue;
    int result = examine(entry->d_name, label, line, found);
    /* Two chips may share a label (Pi 5): a missing line on one says nothing about the other. */
    if (result == 1 || (result == -ENOENT) || (result == -EACCES && answer == -ENODEV)) answer = result;
  }
  closedir(devices);
  return answer == 1 ? 0 : answer;
}
