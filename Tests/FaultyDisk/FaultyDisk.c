#include "FaultyDisk.h"

#include <dlfcn.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* A change that was not synced: a write, or a truncation when `bytes` is NULL. */
struct change {
  int64_t at;
  int64_t count;
  uint8_t *bytes;
};

struct file {
  char name[128];
  int exists;
  /* What readers see, and what a loss of power cannot take. */
  uint8_t *now, *synced;
  int64_t size, synced_size;
  struct change *changes;
  int change_count;
  /* Making or removing it has not reached the disk. */
  int directory_pending;
};

enum { FILES = 8 };
static struct file files[FILES];
static long lives = -1, room = -1, changes, bytes_written, syncs;
static int dead;
static uint64_t state;

struct handle {
  sqlite3_file base;
  struct file *file;
};

static uint64_t random_number(void) {
  state += 0x9E3779B97F4A7C15u;
  uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
  return mixed ^ (mixed >> 31);
}

/* Whether this change takes place. */
static int lives_on(void) {
  if (dead) return 0;
  if (lives == 0) {
    dead = 1;
    return 0;
  }
  if (lives > 0) lives--;
  changes++;
  return 1;
}

static void resize(uint8_t **memory, int64_t old, int64_t size) {
  *memory = realloc(*memory, (size_t)size + 1);
  if (!*memory) abort();
  if (size > old) memset(*memory + old, 0, (size_t)(size - old));
}

static void put(uint8_t **memory, int64_t *size, const uint8_t *from, int64_t at, int64_t count) {
  if (at + count > *size) {
    resize(memory, *size, at + count);
    *size = at + count;
  }
  memcpy(*memory + at, from, (size_t)count);
}

static void forget_changes(struct file *file) {
  for (int i = 0; i < file->change_count; i++) free(file->changes[i].bytes);
  free(file->changes);
  file->changes = NULL;
  file->change_count = 0;
}

static void note(struct file *file, int64_t at, int64_t count, const void *bytes) {
  file->changes = realloc(file->changes, sizeof *file->changes * (size_t)(file->change_count + 1));
  if (!file->changes) abort();
  struct change *change = &file->changes[file->change_count++];
  *change = (struct change){.at = at, .count = count, .bytes = bytes ? malloc((size_t)count + 1) : NULL};
  if (bytes) memcpy(change->bytes, bytes, (size_t)count);
}

/* MARK: an open file */

static struct file *of(sqlite3_file *handle) { return ((struct handle *)handle)->file; }

static int close_file(sqlite3_file *handle) {
  (void)handle;
  return SQLITE_OK;
}

static int read_file(sqlite3_file *handle, void *into, int count, sqlite3_int64 at) {
  struct file *file = of(handle);
  if (dead) return SQLITE_IOERR_READ;
  int64_t there = file->size - at;
  if (there < 0) there = 0;
  if (there > count) there = count;
  memcpy(into, file->now + at, (size_t)there);
  if (there == count) return SQLITE_OK;
  memset((char *)into + there, 0, (size_t)(count - there));
  return SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *handle, const void *from, int count, sqlite3_int64 at) {
  struct file *file = of(handle);
  if (!dead && room >= 0 && (room -= count) < 0) {
    room = 0;
    return SQLITE_FULL;
  }
  if (!lives_on()) {
    /* A write during which the power fails may have begun. */
    if (dead == 1) note(file, at, count, from);
    dead = 2;
    return SQLITE_IOERR_WRITE;
  }
  bytes_written += count;
  note(file, at, count, from);
  put(&file->now, &file->size, from, at, count);
  return SQLITE_OK;
}

static int truncate_file(sqlite3_file *handle, sqlite3_int64 size) {
  struct file *file = of(handle);
  if (!lives_on()) return SQLITE_IOERR_TRUNCATE;
  note(file, size, 0, NULL);
  resize(&file->now, file->size, size);
  file->size = size;
  return SQLITE_OK;
}

static int sync_file(sqlite3_file *handle, int flags) {
  (void)flags;
  struct file *file = of(handle);
  if (!lives_on()) return SQLITE_IOERR_FSYNC;
  syncs++;
  forget_changes(file);
  resize(&file->synced, file->synced_size, file->size);
  memcpy(file->synced, file->now, (size_t)file->size);
  file->synced_size = file->size;
  /* With the first sync of a journal SQLite also syncs the directory. */
  if (file->directory_pending && strchr(file->name, '-'))
    for (int i = 0; i < FILES; i++) files[i].directory_pending = 0;
  file->directory_pending = 0;
  return SQLITE_OK;
}

static int file_size(sqlite3_file *handle, sqlite3_int64 *size) {
  *size = of(handle)->size;
  return SQLITE_OK;
}

static int lock(sqlite3_file *handle, int level) {
  (void)handle;
  (void)level;
  return SQLITE_OK;
}

static int reserved(sqlite3_file *handle, int *answer) {
  (void)handle;
  *answer = 0;
  return SQLITE_OK;
}

static int control(sqlite3_file *handle, int request, void *argument) {
  (void)handle;
  (void)request;
  (void)argument;
  return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *handle) {
  (void)handle;
  return 512;
}

/* What SQLite assumes of a disk under Linux. */
static int characteristics(sqlite3_file *handle) {
  (void)handle;
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1, .xClose = close_file, .xRead = read_file, .xWrite = write_file, .xTruncate = truncate_file,
    .xSync = sync_file, .xFileSize = file_size, .xLock = lock, .xUnlock = lock,
    .xCheckReservedLock = reserved, .xFileControl = control, .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics};

/* MARK: the disk */

static struct file *named(const char *name) {
  for (int i = 0; i < FILES; i++)
    if (files[i].exists && !strcmp(files[i].name, name)) return &files[i];
  return NULL;
}

static struct file *make(const char *name) {
  /* A file that was removed and may be back keeps its place. */
  for (int i = 0; i < FILES; i++)
    if (!files[i].exists && (!files[i].directory_pending || !strcmp(files[i].name, name))) {
      forget_changes(&files[i]);
      free(files[i].now);
      free(files[i].synced);
      files[i] = (struct file){.exists = 1, .directory_pending = 1};
      strncpy(files[i].name, name, sizeof files[i].name - 1);
      resize(&files[i].now, 0, 0);
      resize(&files[i].synced, 0, 0);
      return &files[i];
    }
  abort();
}

static int open_file(sqlite3_vfs *layer, const char *name, sqlite3_file *handle, int flags, int *actual) {
  (void)layer;
  handle->pMethods = NULL;
  if (dead || !name) return SQLITE_CANTOPEN;
  struct file *file = named(name);
  if (!file && !(flags & SQLITE_OPEN_CREATE)) return SQLITE_CANTOPEN;
  if (!file) file = make(name);
  ((struct handle *)handle)->file = file;
  handle->pMethods = &methods;
  if (actual) *actual = flags;
  return SQLITE_OK;
}

static int remove_file(sqlite3_vfs *layer, const char *name, int sync) {
  (void)layer;
  struct file *file = named(name);
  if (!file) return SQLITE_IOERR_DELETE_NOENT;
  if (!lives_on()) return SQLITE_IOERR_DELETE;
  file->exists = 0;
  file->directory_pending = !sync;
  return SQLITE_OK;
}

static int is_there(sqlite3_vfs *layer, const char *name, int flags, int *answer) {
  (void)layer;
  (void)flags;
  struct file *file = named(name);
  *answer = file && (flags != SQLITE_ACCESS_EXISTS || file->size > 0);
  return SQLITE_OK;
}

static int full_name(sqlite3_vfs *layer, const char *name, int capacity, char *full) {
  (void)layer;
  strncpy(full, name, (size_t)capacity);
  full[capacity - 1] = 0;
  return SQLITE_OK;
}

int faulty_disk_install(void) {
  static sqlite3_vfs layer;
  if (layer.zName) return 0;
  void *library = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_LOCAL);
  sqlite3_vfs *(*find)(const char *) = NULL;
  int (*add)(sqlite3_vfs *, int) = NULL;
  if (library) {
    *(void **)&find = dlsym(library, "sqlite3_vfs_find");
    *(void **)&add = dlsym(library, "sqlite3_vfs_register");
  }
  if (!find || !add) return -1;
  ((int (*)(void))dlsym(library, "sqlite3_initialize"))();
  layer = *find(NULL);
  layer.iVersion = 1;
  layer.szOsFile = sizeof(struct handle);
  layer.mxPathname = 120;
  layer.pNext = NULL;
  layer.xOpen = open_file;
  layer.xDelete = remove_file;
  layer.xAccess = is_there;
  layer.xFullPathname = full_name;
  layer.zName = "faulty";
  return add(&layer, 0) == SQLITE_OK ? 0 : -1;
}

void faulty_disk_format(void) {
  for (int i = 0; i < FILES; i++) {
    forget_changes(&files[i]);
    free(files[i].now);
    free(files[i].synced);
  }
  memset(files, 0, sizeof files);
  lives = room = -1;
  changes = bytes_written = syncs = 0;
  dead = 0;
}

void faulty_disk_die_after(long number) { lives = number; }
void faulty_disk_fill(long bytes) { room = bytes; }
int faulty_disk_is_dead(void) { return dead != 0; }
long faulty_disk_changes(void) { return changes; }
long faulty_disk_bytes(void) { return bytes_written; }
long faulty_disk_syncs(void) { return syncs; }

/* Parts of the changes that were not synced reach the disk: by change or by sector, in any combination. */
static void settle(struct file *file, int any) {
  uint64_t mood = random_number() % 4;
  for (int i = 0; i < file->change_count && any; i++) {
    struct change *change = &file->changes[i];
    if (mood == 0 || random_number() % 4 == 0) continue;
    if (!change->bytes) {
      resize(&file->synced, file->synced_size, change->at);
      file->synced_size = change->at;
      continue;
    }
    int torn = mood == 1 || random_number() % 3 == 0;
    for (int64_t from = change->at; from < change->at + change->count;) {
      int64_t end = (from / 512 + 1) * 512;
      if (end > change->at + change->count) end = change->at + change->count;
      if (!torn || random_number() % 2)
        put(&file->synced, &file->synced_size, change->bytes + (from - change->at), from, end - from);
      from = end;
    }
  }
}

void faulty_disk_restart(int how, uint64_t seed) {
  state = seed;
  lives = room = -1;
  dead = 0;
  for (int i = 0; i < FILES; i++) {
    struct file *file = &files[i];
    if (how != FAULTY_DISK_KILLED) {
      int any = how == FAULTY_DISK_POWER_LOSS;
      settle(file, any);
      if (file->directory_pending && any && random_number() % 2) file->exists = !file->exists;
      resize(&file->now, file->size, file->synced_size);
      memcpy(file->now, file->synced, (size_t)file->synced_size);
      file->size = file->synced_size;
    } else if (file->exists) {
      /* What the killed process has written the system still writes. */
      resize(&file->synced, file->synced_size, file->size);
      memcpy(file->synced, file->now, (size_t)file->size);
      file->synced_size = file->size;
    }
    forget_changes(file);
    file->directory_pending = 0;
  }
}
