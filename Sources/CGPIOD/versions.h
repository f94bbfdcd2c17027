/* The few names in which the two APIs differ, for chips.c. lines_v1.c and lines_v2.c hold the rest. */
#ifndef CGPIOD_VERSIONS_H
#define CGPIOD_VERSIONS_H

#include <gpiod.h>
#include <stddef.h>

#ifdef GPIOD_LINE_BULK_MAX_LINES
#define SWIFTLET_GPIOD_V1 1
#else
#define SWIFTLET_GPIOD_V1 0
#endif

int chip_find_line(struct gpiod_chip *chip, const char *name);
unsigned int chip_line_count(struct gpiod_chip *chip);
int chip_has_label(struct gpiod_chip *chip, const char *label);

#endif
