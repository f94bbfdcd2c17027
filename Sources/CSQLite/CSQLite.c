#define _GNU_SOURCE
#include "CSQLite.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What is used of the library's interface, which has not changed since 2004 and is promised not to. Declared
// here so that no header of it is needed to build.
typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
enum { OK = 0, BUSY = 5, LOCKED = 6, CORRUPT = 11, FULL = 13, NOTADB = 26, ROW = 100, DONE = 101 };
enum { OPEN_READWRITE = 0x2, OPEN_CREATE = 0x4, OPEN_NOMUTEX = 0x8000 };

#define LIBRARY(X)                                                                                     \
  X(int, open_v2, (const char *, sqlite3 **, int, const char *))                                       \
  X(int, close, (sqlite3 *))                                                                           \
  X(int, exec, (sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *, char **))     \
  X(int, prepare_v2, (sqlite3 *, const char *, int, sqlite3_stmt **, const char **))                   \
  X(int, bind_int64, (sqlite3_stmt *, int, long long))                                                 \
  X(int, bind_blob, (sqlite3_stmt *, int, const void *, int, void (*)(void *)))                        \
  X(int, step, (sqlite3_stmt *))                                                                       \
  X(int, reset, (sqlite3_stmt *))                                                                      \
  X(int, finalize, (sqlite3_stmt *))                                                                   \
  X(long long, column_int64, (sqlite3_stmt *, int))                                                    \
  X(const void *, column_blob, (sqlite3_stmt *, int))                                                  \
  X(const unsigned char *, column_text, (sqlite3_stmt *, int))                                         \
  X(int, column_bytes, (sqlite3_stmt *, int))                                                          \
  X(int, get_autocommit, (sqlite3 *))                                                                  \
  X(const char *, errmsg, (sqlite3 *))

struct csqlite_store {
  void *library;
#define MEMBER(result, name, arguments) result (*name) arguments;
  LIBRARY(MEMBER)
#undef MEMBER
  sqlite3 *database;
  sqlite3_stmt *begin, *commit, *put, *remove, *length, *find;
  // Where a record and its checksum are put together.
  uint8_t *buffer;
  size_t capacity;
};

static int outcome(int code) {
  switch (code & 0xff) {
  case OK: case ROW: case DONE: return CSQLITE_DONE;
  case FULL: return CSQLITE_FULL;
  case CORRUPT: case NOTADB: return CSQLITE_DAMAGED;
  case BUSY: case LOCKED: return CSQLITE_BUSY;
  default: return CSQLITE_FAILED;
  }
}

static int load(csqlite_store *store) {
  store->library = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_LOCAL);
  if (!store->library) return CSQLITE_NO_LIBRARY;
#define LOOK_UP(result, name, arguments)                                                               \
  *(void **)&store->name = dlsym(store->library, "sqlite3_" #name);                                    \
  if (!store->name) return CSQLITE_NO_LIBRARY;
  LIBRARY(LOOK_UP)
#undef LOOK_UP
  return CSQLITE_DONE;
}

// Runs a statement that answers one value; compares it when there is an expectation.
static int ask(csqlite_store *store, const char *question, const char *expected) {
  sqlite3_stmt *statement = NULL;
  int code = store->prepare_v2(store->database, question, -1, &statement, NULL);
  if (code == OK) code = store->step(statement);
  const char *answer = code == ROW ? (const char *)store->column_text(statement, 0) : NULL;
  int result = outcome(code);
  if (!result && (!answer || strcmp(answer, expected))) result = CSQLITE_DAMAGED;
  store->finalize(statement);
  return result;
}

static int run(csqlite_store *store, const char *text) {
  return outcome(store->exec(store->database, text, NULL, NULL, NULL));
}

#define TABLE "record(key INTEGER PRIMARY KEY, value BLOB NOT NULL)"
// "SWLT" in the header: a file of ours whose tables cannot be made out is damaged, not somebody else's.
#define MARK "1398230100"

// Before anything is written: a database with other tables than ours is left alone.
static int check_tables(csqlite_store *store, int is_marked) {
  sqlite3_stmt *statement = NULL;
  int code = store->prepare_v2(
      store->database, "SELECT 1 FROM sqlite_master WHERE sql IS NOT 'CREATE TABLE " TABLE "' LIMIT 1", -1, &statement, NULL);
  if (code == OK) code = store->step(statement);
  store->finalize(statement);
  return code != ROW ? outcome(code) : is_marked ? CSQLITE_DAMAGED : CSQLITE_FOREIGN;
}

// Small pages and a write-ahead log: least bytes for a record (docs/durable-outbox.md). The lock is kept, so
// that no shared memory is needed beside the file.
static int set_up(csqlite_store *store) {
  int result = run(store, "PRAGMA page_size=512; PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY;"
                          "PRAGMA cache_size=-64; PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF");
  int is_marked = !result && ask(store, "PRAGMA application_id", MARK) == CSQLITE_DONE;
  if (!result) result = check_tables(store, is_marked);
  if (!result) result = ask(store, "PRAGMA journal_mode=WAL", "wal");
  if (!result) result = run(store, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=256;"
                                   "PRAGMA journal_size_limit=262144");
  if (!result) result = ask(store, "PRAGMA quick_check(1)", "ok");
  if (!result) result = run(store, "CREATE TABLE IF NOT EXISTS " TABLE);
  if (!result && !is_marked) result = run(store, "PRAGMA application_id=" MARK);
  static const char *const texts[] = {
      "BEGIN IMMEDIATE", "COMMIT", "REPLACE INTO record(key, value) VALUES(?1, ?2)",
      "DELETE FROM record WHERE key = ?1", "SELECT length(value) FROM record WHERE key = ?1",
      "SELECT key, value FROM record WHERE key >= ?1 ORDER BY key LIMIT 1"};
  sqlite3_stmt **statements[] = {&store->begin, &store->commit, &store->put, &store->remove, &store->length,
                                 &store->find};
  for (size_t i = 0; i < sizeof texts / sizeof *texts && !result; i++) {
    int code = store->prepare_v2(store->database, texts[i], -1, statements[i], NULL);
    result = code == 1 ? CSQLITE_DAMAGED : outcome(code);
  }
  return result;
}

int csqlite_open(const char *path, const char *vfs, csqlite_store **opened, char *message, size_t capacity) {
  csqlite_store *store = calloc(1, sizeof *store);
  *opened = NULL;
  if (!store) return CSQLITE_FAILED;
  int result = load(store);
  if (!result) {
    result = outcome(store->open_v2(path, &store->database, OPEN_READWRITE | OPEN_CREATE | OPEN_NOMUTEX, vfs));
    if (!result) result = set_up(store);
    if (result == CSQLITE_DAMAGED && !csqlite_was_store(path)) result = CSQLITE_FOREIGN;
    int is_absent;
    int is_system = !vfs && (result == CSQLITE_FAILED || result == CSQLITE_FULL);
    if (result == CSQLITE_FOREIGN)
      csqlite_say_foreign(path, message, capacity);
    else if (result && !(is_system && csqlite_trouble(path, message, capacity, &is_absent)))
      snprintf(message, capacity, "%s", store->errmsg(store->database));
  } else {
    snprintf(message, capacity, "libsqlite3.so.0 is not there (Debian: libsqlite3-0)");
  }
  if (result) csqlite_close(store);
  else *opened = store;
  return result;
}

void csqlite_close(csqlite_store *store) {
  if (!store) return;
  if (store->database) {
    csqlite_roll_back(store);
    sqlite3_stmt *statements[] = {store->begin, store->commit, store->put, store->remove, store->length,
                                  store->find};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) store->finalize(statements[i]);
    store->close(store->database);
  }
  free(store->buffer);
  if (store->library) dlclose(store->library);
  free(store);
}

int csqlite_set_aside(const char *path) {
  static const char *const endings[] = {"", "-wal", "-journal", "-shm"};
  int error = 0;
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    char *from = NULL, *to = NULL;
    if (asprintf(&from, "%s%s", path, endings[i]) < 0) return ENOMEM;
    if (asprintf(&to, "%s.damaged%s", path, endings[i]) < 0) {
      free(from);
      return ENOMEM;
    }
    if (rename(from, to) < 0 && errno != ENOENT) error = errno;
    free(from);
    free(to);
  }
  return error;
}

// Keys are unsigned, the library's are not: without the sign's bit they keep their order.
static long long signed_key(uint64_t key) { return (long long)(key ^ UINT64_C(1) << 63); }

static int step(csqlite_store *store, sqlite3_stmt *statement) {
  int code = store->step(statement);
  if (code != ROW) store->reset(statement);
  return code;
}

static int begin(csqlite_store *store) {
  return store->get_autocommit(store->database) ? outcome(step(store, store->begin)) : CSQLITE_DONE;
}

// A cut-off or overwritten page can go unnoticed by the library, so every record ends with a checksum of key
// and bytes: CRC-32 as in ISO 3309, without tables, since records are short and the disk is slow.
enum { CHECKSUM = 4 };

static uint32_t add(uint32_t sum, const uint8_t *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    sum ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (0xEDB88320u & (0u - (sum & 1)));
  }
  return sum;
}

static void checksum(uint64_t key, const void *value, size_t count, uint8_t sum[CHECKSUM]) {
  uint8_t name[8];
  for (int i = 0; i < 8; i++) name[i] = (uint8_t)(key >> 8 * i);
  uint32_t result = ~add(add(UINT32_MAX, name, sizeof name), value, count);
  for (int i = 0; i < CHECKSUM; i++) sum[i] = (uint8_t)(result >> 8 * i);
}

static int old_length(csqlite_store *store, uint64_t key, int64_t *old) {
  store->bind_int64(store->length, 1, signed_key(key));
  int code = step(store, store->length);
  *old = -1;
  if (code == ROW) {
    *old = store->column_int64(store->length, 0) - CHECKSUM;
    if (*old < 0) *old = 0;
    store->reset(store->length);
  }
  return outcome(code);
}

int csqlite_put(csqlite_store *store, uint64_t key, const void *value, size_t count, int64_t *old) {
  int result = begin(store);
  if (!result) result = old_length(store, key, old);
  if (result) return result;
  if (count + CHECKSUM > store->capacity) {
    uint8_t *larger = realloc(store->buffer, count + CHECKSUM);
    if (!larger) return CSQLITE_FAILED;
    store->buffer = larger;
    store->capacity = count + CHECKSUM;
  }
  if (count) memcpy(store->buffer, value, count);
  checksum(key, store->buffer, count, store->buffer + count);
  store->bind_int64(store->put, 1, signed_key(key));
  store->bind_blob(store->put, 2, store->buffer, (int)(count + CHECKSUM), NULL);
  return outcome(step(store, store->put));
}

int csqlite_remove(csqlite_store *store, uint64_t key, int64_t *old) {
  int result = begin(store);
  if (!result) result = old_length(store, key, old);
  if (result || *old < 0) return result;
  store->bind_int64(store->remove, 1, signed_key(key));
  return outcome(step(store, store->remove));
}

int csqlite_commit(csqlite_store *store) {
  if (store->get_autocommit(store->database)) return CSQLITE_DONE;
  int result = outcome(step(store, store->commit));
  if (result) csqlite_roll_back(store);
  return result;
}

void csqlite_roll_back(csqlite_store *store) {
  if (!store->get_autocommit(store->database)) run(store, "ROLLBACK");
}

int csqlite_find(csqlite_store *store, uint64_t key, uint64_t *found, const void **value, size_t *count) {
  store->bind_int64(store->find, 1, signed_key(key));
  int code = step(store, store->find);
  if (code != ROW) return code == DONE ? CSQLITE_NONE : outcome(code);
  *found = (uint64_t)store->column_int64(store->find, 0) ^ UINT64_C(1) << 63;
  *value = store->column_blob(store->find, 1);
  *count = (size_t)store->column_bytes(store->find, 1);
  uint8_t sum[CHECKSUM];
  int good = *count >= CHECKSUM;
  if (good) {
    *count -= CHECKSUM;
    checksum(*found, *value, *count, sum);
    good = !memcmp((const uint8_t *)*value + *count, sum, CHECKSUM);
  }
  if (good) return CSQLITE_DONE;
  store->reset(store->find);
  return CSQLITE_BAD_RECORD;
}

void csqlite_found(csqlite_store *store) { store->reset(store->find); }

int csqlite_total(csqlite_store *store, int64_t *records, int64_t *bytes) {
  sqlite3_stmt *statement = NULL;
  int code = store->prepare_v2(store->database, "SELECT count(*), coalesce(sum(max(length(value) - 4, 0)), 0) FROM record", -1,
                               &statement, NULL);
  if (code == OK) code = store->step(statement);
  if (code == ROW) {
    *records = store->column_int64(statement, 0);
    *bytes = store->column_int64(statement, 1);
  }
  store->finalize(statement);
  return outcome(code);
}

const char *csqlite_message(csqlite_store *store) { return store->errmsg(store->database); }
