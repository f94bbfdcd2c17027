// The part of libyaml that the configuration reader needs: a stream of events with positions.
#ifndef CYAML_H
#define CYAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cyaml_reader cyaml_reader;

enum {
  CYAML_END,  // of the stream
  CYAML_ERROR,
  CYAML_DOCUMENT,
  CYAML_SCALAR,
  CYAML_ALIAS,
  CYAML_SEQUENCE,
  CYAML_SEQUENCE_END,
  CYAML_MAPPING,
  CYAML_MAPPING_END,
};

// What `text` and `tag` point to belongs to the reader and lasts until the next call.
typedef struct {
  int32_t kind;
  // Where it begins, both from 1; columns count characters.
  int32_t line, column;
  // Where an error is, in bytes, when line and column are 0.
  size_t offset;
  // A scalar's or an error's text; the bytes of a scalar may contain NUL.
  const char *text;
  size_t length;
  // NULL when there is none.
  const char *tag;
  bool anchored;
} cyaml_event;

// Reads the UTF-8 `bytes`, which must outlive the reader; NULL when there is no memory.
cyaml_reader *cyaml_open(const uint8_t *bytes, size_t length);

// After CYAML_END or CYAML_ERROR the same event comes again.
void cyaml_next(cyaml_reader *reader, cyaml_event *event);

void cyaml_close(cyaml_reader *reader);

#endif
