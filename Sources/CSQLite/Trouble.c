#define _GNU_SOURCE
#include "CSQLite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

// A new file with its log takes about so much.
enum { LEAST_ROOM = 64 << 10 };

struct text {
  char *bytes;
  size_t capacity;
};

// Who owns it, who we are, and what makes the one the other.
static int refuse_access(struct text text, const char *name, int number) {
  unsigned user = (unsigned)geteuid();
  struct stat status;
  if (number == EROFS) {
    snprintf(text.bytes, text.capacity,
             "%s is on a disk that is mounted read-only: choose another place, or mount it for writing", name);
  } else if (number == EACCES && stat(name, &status) == 0 && status.st_uid != user) {
    snprintf(text.bytes, text.capacity, "%s belongs to the user with the number %u, and this is number %u: sudo chown %u %s",
             name, (unsigned)status.st_uid, user, user, name);
  } else if (number == EACCES) {
    snprintf(text.bytes, text.capacity, "the user with the number %u may not write to %s: sudo chmod u+rwX %s", user, name,
             name);
  } else {
    snprintf(text.bytes, text.capacity, "%s cannot be used: %s", name, strerror(number));
  }
  return 1;
}

static int look_at_directory(const char *name, struct text text, int *is_absent) {
  struct stat status;
  struct statvfs disk;
  int number = stat(name, &status) < 0 ? errno : S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
  *is_absent = number == ENOENT;
  if (*is_absent) {
    snprintf(text.bytes, text.capacity, "the directory %s is not there: sudo mkdir -p %s", name, name);
    return 1;
  }
  if (number) return refuse_access(text, name, number);
  if (faccessat(AT_FDCWD, name, R_OK | W_OK | X_OK, AT_EACCESS) < 0) return refuse_access(text, name, errno);
  if (statvfs(name, &disk) < 0) return 0;
  if (disk.f_files > 0 && disk.f_favail == 0) {
    snprintf(text.bytes, text.capacity, "the disk of %s has no room for one more file: remove some", name);
    return 1;
  }
  if ((unsigned long long)disk.f_bavail * disk.f_frsize >= LEAST_ROOM) return 0;
  snprintf(text.bytes, text.capacity, "the disk of %s is full: make room on it (df %s)", name, name);
  return 1;
}

void csqlite_say_foreign(const char *path, char *message, size_t capacity) {
  snprintf(message, capacity, "%s is no outbox, and is left as it is: name another file", path);
}

int csqlite_was_store(const char *path) {
  static const char magic[] = "SQLite format 3";
  char start[sizeof magic], log[4096];
  struct stat status;
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return 1;
  ssize_t count = read(file, start, sizeof start);
  close(file);
  ssize_t same = 0, zeros = 0;
  for (ssize_t i = 0; i < count; i++) {
    same += start[i] == magic[i];
    zeros += start[i] == 0;
  }
  // A few bytes may be wrong; after a loss of power a file can be full of zeros.
  if (count <= 0 || 2 * same >= count || zeros == count) return 1;
  snprintf(log, sizeof log, "%s-wal", path);
  return stat(log, &status) == 0 && status.st_size > 0;
}

int csqlite_trouble(const char *path, char *message, size_t capacity, int *is_absent) {
  struct text text = {message, capacity};
  char directory[4096] = ".";
  const char *slash = strrchr(path, '/');
  size_t length = slash ? (size_t)(slash - path) : 0;
  if (slash && length < sizeof directory) snprintf(directory, sizeof directory, "%.*s", length ? (int)length : 1, path);
  if (look_at_directory(directory, text, is_absent)) return 1;
  struct stat status;
  if (stat(path, &status) < 0) {
    if (errno != ENOENT) return refuse_access(text, path, errno);
    if (lstat(path, &status) < 0) return 0;
    snprintf(message, capacity, "%s is a link to a file that is not there: name the file itself", path);
    return 1;
  }
  if (S_ISDIR(status.st_mode)) return refuse_access(text, path, EISDIR);
  if (!S_ISREG(status.st_mode) || !csqlite_was_store(path)) {
    csqlite_say_foreign(path, message, capacity);
    return 1;
  }
  if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) < 0) return refuse_access(text, path, errno);
  return 0;
}
