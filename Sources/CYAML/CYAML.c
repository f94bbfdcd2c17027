#include "CYAML.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct cyaml_reader {
  yaml_parser_t parser;
  yaml_event_t current;
  bool over;
  cyaml_event last;
  char message[256];
};

cyaml_reader *cyaml_open(const uint8_t *bytes, size_t length) {
  cyaml_reader *reader = calloc(1, sizeof *reader);
  if (reader == NULL) return NULL;
  if (!yaml_parser_initialize(&reader->parser)) {
    free(reader);
    return NULL;
  }
  // Named, because libyaml otherwise takes the first bytes for a UTF-16 mark.
  yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&reader->parser, bytes, length);
  return reader;
}

void cyaml_close(cyaml_reader *reader) {
  yaml_event_delete(&reader->current);
  yaml_parser_delete(&reader->parser);
  free(reader);
}

static void place(cyaml_event *event, yaml_mark_t mark) {
  event->line = (int32_t)mark.line + 1;
  event->column = (int32_t)mark.column + 1;
}

static void describe_error(cyaml_reader *reader, cyaml_event *event) {
  yaml_parser_t *parser = &reader->parser;
  event->kind = CYAML_ERROR;
  if (parser->error == YAML_READER_ERROR) {
    event->offset = parser->problem_offset;
  } else {
    place(event, parser->problem_mark);
  }
  const char *problem = parser->problem ? parser->problem : "not enough memory";
  if (parser->context) {
    snprintf(reader->message, sizeof reader->message, "%s (%s that begins in line %zu)", problem,
             parser->context, parser->context_mark.line + 1);
  } else {
    snprintf(reader->message, sizeof reader->message, "%s", problem);
  }
  event->text = reader->message;
  event->length = strlen(reader->message);
}

static void describe_node(cyaml_event *event, int32_t kind, yaml_char_t *tag, yaml_char_t *anchor) {
  event->kind = kind;
  event->tag = (const char *)tag;
  event->anchored = anchor != NULL;
}

// False for the events that say nothing here.
static bool describe(yaml_event_t *from, cyaml_event *event) {
  place(event, from->start_mark);
  switch (from->type) {
  case YAML_STREAM_END_EVENT:
    event->kind = CYAML_END;
    return true;
  case YAML_DOCUMENT_START_EVENT:
    event->kind = CYAML_DOCUMENT;
    return true;
  case YAML_ALIAS_EVENT:
    event->kind = CYAML_ALIAS;
    return true;
  case YAML_SCALAR_EVENT:
    describe_node(event, CYAML_SCALAR, from->data.scalar.tag, from->data.scalar.anchor);
    event->text = (const char *)from->data.scalar.value;
    event->length = from->data.scalar.length;
    return true;
  case YAML_SEQUENCE_START_EVENT:
    describe_node(event, CYAML_SEQUENCE, from->data.sequence_start.tag, from->data.sequence_start.anchor);
    return true;
  case YAML_MAPPING_START_EVENT:
    describe_node(event, CYAML_MAPPING, from->data.mapping_start.tag, from->data.mapping_start.anchor);
    return true;
  case YAML_SEQUENCE_END_EVENT:
    event->kind = CYAML_SEQUENCE_END;
    return true;
  case YAML_MAPPING_END_EVENT:
    event->kind = CYAML_MAPPING_END;
    return true;
  default:
    return false;
  }
}

void cyaml_next(cyaml_reader *reader, cyaml_event *event) {
  bool known = reader->over;
  while (!known) {
    yaml_event_delete(&reader->current);
    memset(&reader->last, 0, sizeof reader->last);
    if (yaml_parser_parse(&reader->parser, &reader->current)) {
      known = describe(&reader->current, &reader->last);
    } else {
      memset(&reader->current, 0, sizeof reader->current);
      describe_error(reader, &reader->last);
      known = true;
    }
    reader->over = known && (reader->last.kind == CYAML_END || reader->last.kind == CYAML_ERROR);
  }
  *event = reader->last;
}
