/* The same work for each candidate of the durable outbox: every message is put, made durable in groups,
   and removed with a later group, as `MQTTClient` uses its store.

   usage: candidates sqlite|lmdb|log DIRECTORY MESSAGES GROUP BACKLOG

   BACKLOG messages stay behind, as while the broker is away. Prints the highest resident memory in kB.
   Built by bench/store.py. */
#include <fcntl.h>
#include <lmdb.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A topic of 27 bytes, a payload of 64, and what a record says about them. */
enum { RECORD = 107 };

static void check(int good, const char *what) {
  if (good) return;
  fprintf(stderr, "candidates: %s failed\n", what);
  exit(1);
}

static sqlite3 *database;
static sqlite3_stmt *put_statement, *remove_statement;

static void run(const char *text) {
  check(sqlite3_exec(database, text, NULL, NULL, NULL) == SQLITE_OK, text);
}

static void sqlite_open(const char *directory) {
  char path[512];
  snprintf(path, sizeof path, "%s/outbox.sqlite", directory);
  check(sqlite3_open(path, &database) == SQLITE_OK, "sqlite3_open");
  run(getenv("PAGE_SIZE_4096") ? "PRAGMA page_size=4096" : "PRAGMA page_size=512");
  run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
      "PRAGMA cache_size=-64; PRAGMA wal_autocheckpoint=256;"
      "CREATE TABLE record(key INTEGER PRIMARY KEY, value BLOB NOT NULL); BEGIN");
  check(sqlite3_prepare_v2(database, "REPLACE INTO record VALUES(?,?)", -1, &put_statement, NULL) == SQLITE_OK &&
            sqlite3_prepare_v2(database, "DELETE FROM record WHERE key=?", -1, &remove_statement, NULL) == SQLITE_OK,
        "sqlite3_prepare");
}

static void sqlite_put(uint64_t key, const uint8_t *value, size_t count) {
  sqlite3_bind_int64(put_statement, 1, (sqlite3_int64)key);
  sqlite3_bind_blob(put_statement, 2, value, (int)count, SQLITE_STATIC);
  check(sqlite3_step(put_statement) == SQLITE_DONE, "put");
  sqlite3_reset(put_statement);
}

static void sqlite_remove(uint64_t key) {
  sqlite3_bind_int64(remove_statement, 1, (sqlite3_int64)key);
  check(sqlite3_step(remove_statement) == SQLITE_DONE, "remove");
  sqlite3_reset(remove_statement);
}

static void sqlite_commit(void) { run("COMMIT"); run("BEGIN"); }

static MDB_env *environment;
static MDB_txn *transaction;
static MDB_dbi table;

static void lmdb_begin(void) { check(!mdb_txn_begin(environment, NULL, 0, &transaction), "mdb_txn_begin"); }

static void lmdb_open(const char *directory) {
  check(!mdb_env_create(&environment) && !mdb_env_set_mapsize(environment, 16 << 20) &&
            !mdb_env_open(environment, directory, 0, 0600),
        "mdb_env_open");
  lmdb_begin();
  check(!mdb_dbi_open(transaction, NULL, MDB_INTEGERKEY | MDB_CREATE, &table), "mdb_dbi_open");
}

static void lmdb_put(uint64_t key, const uint8_t *value, size_t count) {
  MDB_val name = {sizeof key, &key}, content = {count, (void *)value};
  check(!mdb_put(transaction, table, &name, &content, 0), "mdb_put");
}

static void lmdb_remove(uint64_t key) {
  MDB_val name = {sizeof key, &key};
  check(!mdb_del(transaction, table, &name, NULL), "mdb_del");
}

static void lmdb_commit(void) {
  check(!mdb_txn_commit(transaction), "mdb_txn_commit");
  lmdb_begin();
}

/* The least that can be: a file to which changes are appended with a length, a key and a checksum. When
   it is long it would be written anew; that share is left out. */
static int log_file;
static uint8_t pending[1 << 16];
static size_t pending_count;

static void log_open(const char *directory) {
  char path[512];
  snprintf(path, sizeof path, "%s/outbox.log", directory);
  log_file = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
  check(log_file >= 0, "open");
}

static void log_append(uint64_t key, const uint8_t *value, size_t count) {
  memcpy(pending + pending_count, &key, 8);
  memset(pending + pending_count + 8, 0, 8);
  if (count) memcpy(pending + pending_count + 16, value, count);
  pending_count += 16 + count;
}

static void log_remove(uint64_t key) { log_append(key, NULL, 0); }

static void log_commit(void) {
  static off_t end;
  check(pwrite(log_file, pending, pending_count, end) == (ssize_t)pending_count && !fdatasync(log_file), "append");
  end += (off_t)pending_count;
  pending_count = 0;
}

static const struct candidate {
  const char *name;
  void (*open)(const char *directory);
  void (*put)(uint64_t key, const uint8_t *value, size_t count);
  void (*remove)(uint64_t key);
  void (*commit)(void);
} candidates[] = {
    {"sqlite", sqlite_open, sqlite_put, sqlite_remove, sqlite_commit},
    {"lmdb", lmdb_open, lmdb_put, lmdb_remove, lmdb_commit},
    {"log", log_open, log_append, log_remove, log_commit},
};

static void work(const struct candidate *store, uint64_t messages, uint64_t group, uint64_t backlog) {
  uint8_t record[RECORD];
  memset(record, 'x', sizeof record);
  uint64_t gone = 1;
  for (uint64_t next = 1; next <= messages;) {
    for (uint64_t i = 0; i < group; i++) store->put(next++, record, sizeof record);
    store->commit();
    while (gone + backlog < next) store->remove(gone++);
  }
}

static long resident(void) {
  char line[128];
  long kilobytes = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (sscanf(line, "VmHWM: %ld", &kilobytes) == 1) break;
  if (status) fclose(status);
  return kilobytes;
}

int main(int count, char **words) {
  check(count == 6, "reading the arguments");
  for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
    if (strcmp(candidates[i].name, words[1])) continue;
    long before = resident();
    candidates[i].open(words[2]);
    work(&candidates[i], strtoull(words[3], NULL, 10), strtoull(words[4], NULL, 10), strtoull(words[5], NULL, 10));
    printf("%ld\n", resident() - before);
    return 0;
  }
  check(0, "finding that candidate");
}
