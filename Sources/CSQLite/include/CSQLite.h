// Numbered records of bytes in an SQLite file. The library is loaded when a store is opened: a device that
// keeps nothing needs no SQLite and gives it no memory.
//
// A store is for one thread at a time; which one may change between calls.
#ifndef CSQLITE_H
#define CSQLITE_H

#include <stddef.h>
#include <stdint.h>

typedef struct csqlite_store csqlite_store;

enum {
  CSQLITE_DONE,
  // No room on the disk.
  CSQLITE_FULL,
  // The disk or the system refused.
  CSQLITE_FAILED,
  // The file was a store and is damaged.
  CSQLITE_DAMAGED,
  // Another process has it open.
  CSQLITE_BUSY,
  // There is no libsqlite3 on this machine.
  CSQLITE_NO_LIBRARY,
  // There is no such record.
  CSQLITE_NONE,
  // The record that was found is damaged; its key is right.
  CSQLITE_BAD_RECORD,
  // The file is something else, and is as it was.
  CSQLITE_FOREIGN,
};

// Opens or makes the file. `vfs` names the file layer, NULL: the system's. On failure `message` has the
// reason, cut to `capacity` bytes with a NUL at the end.
int csqlite_open(const char *path, const char *vfs, csqlite_store **store, char *message, size_t capacity);

// What the library has few words for, with the cure: a directory that is missing or belongs to somebody else, a disk that
// is full or read-only, a file that is something else. 0: nothing of that kind. `is_absent`: it may be there on another
// machine.
int csqlite_trouble(const char *path, char *message, size_t capacity, int *is_absent);

// Whether what is there may have been a store before it was damaged, by its first bytes or by the log beside it.
int csqlite_was_store(const char *path);
// Says that it cannot.
void csqlite_say_foreign(const char *path, char *message, size_t capacity);

// Forgets what was not committed.
void csqlite_close(csqlite_store *store);

// Moves a damaged file out of the way, to `path`.damaged, over what an earlier accident left there.
// 0 or an error number of the system.
int csqlite_set_aside(const char *path);

// `old` is the length of the record that was there, -1 when there was none.
int csqlite_put(csqlite_store *store, uint64_t key, const void *value, size_t count, int64_t *old);
int csqlite_remove(csqlite_store *store, uint64_t key, int64_t *old);
int csqlite_commit(csqlite_store *store);
// Forgets the changes since the last commit.
void csqlite_roll_back(csqlite_store *store);

// The record with the lowest key that is at least `key`. `value` lasts until `csqlite_found`, which every call
// that answers CSQLITE_DONE needs before any other call.
int csqlite_find(csqlite_store *store, uint64_t key, uint64_t *found, const void **value, size_t *count);
void csqlite_found(csqlite_store *store);

// Number of records, and the sum of their lengths.
int csqlite_total(csqlite_store *store, int64_t *records, int64_t *bytes);

// Why the latest call failed, in the library's words. Lasts until the next call.
const char *csqlite_message(csqlite_store *store);

#endif
