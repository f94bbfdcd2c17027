/* Counts what a program writes to files: preloaded; at exit one line in the file that WRITE_COUNTS
   names: writes, bytes, syncs, and 4 KiB blocks that were not clean when a sync came, which is about what
   a flash memory has to write. Standard output and error are not counted. Built by bench/store.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BLOCK = 4096, FILES = 64, BLOCKS = 1 << 16 };

static uint64_t writes, bytes, syncs, blocks;
static uint8_t dirty[FILES][BLOCKS / 8];

static void wrote(int file, off_t at, size_t count) {
  if (file <= 2 || file >= FILES || !count) return;
  writes++;
  bytes += count;
  for (uint64_t block = (uint64_t)at / BLOCK; block <= ((uint64_t)at + count - 1) / BLOCK && block < BLOCKS; block++) {
    blocks += !(dirty[file][block / 8] >> block % 8 & 1);
    dirty[file][block / 8] |= (uint8_t)(1 << block % 8);
  }
}

static void synced(int file) {
  syncs++;
  if (file >= 0 && file < FILES) memset(dirty[file], 0, sizeof dirty[file]);
}

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

/* A file opened with O_DSYNC syncs with every write: LMDB writes its meta pages so. */
static int data_sync[FILES];

#include <fcntl.h>
#include <stdarg.h>

static int opened(int file, int flags) {
  if (file >= 0 && file < FILES) {
    data_sync[file] = (flags & O_DSYNC) != 0;
    memset(dirty[file], 0, sizeof dirty[file]);
  }
  return file;
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  int mode = flags & O_CREAT ? va_arg(rest, int) : 0;
  va_end(rest);
  return opened(REAL(open)(path, flags, mode), flags);
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  int mode = flags & O_CREAT ? va_arg(rest, int) : 0;
  va_end(rest);
  return opened(REAL(open64)(path, flags, mode), flags);
}

static ssize_t done(int file, off_t at, ssize_t count) {
  if (count > 0) wrote(file, at, (size_t)count);
  if (count > 0 && file < FILES && file > 2 && data_sync[file]) synced(file);
  return count;
}

ssize_t write(int file, const void *from, size_t count) {
  off_t at = file > 2 ? lseek(file, 0, SEEK_CUR) : 0;
  return done(file, at < 0 ? 0 : at, REAL(write)(file, from, count));
}

ssize_t pwrite(int file, const void *from, size_t count, off_t at) {
  return done(file, at, REAL(pwrite)(file, from, count, at));
}

ssize_t pwrite64(int file, const void *from, size_t count, off64_t at) {
  return done(file, at, REAL(pwrite64)(file, from, count, at));
}

ssize_t writev(int file, const struct iovec *pieces, int number) {
  off_t at = lseek(file, 0, SEEK_CUR);
  return done(file, at < 0 ? 0 : at, REAL(writev)(file, pieces, number));
}

ssize_t pwritev(int file, const struct iovec *pieces, int number, off_t at) {
  return done(file, at, REAL(pwritev)(file, pieces, number, at));
}

ssize_t pwritev64(int file, const struct iovec *pieces, int number, off64_t at) {
  return done(file, at, REAL(pwritev64)(file, pieces, number, at));
}

int fsync(int file) {
  synced(file);
  return REAL(fsync)(file);
}

int fdatasync(int file) {
  synced(file);
  return REAL(fdatasync)(file);
}

int msync(void *memory, size_t count, int flags) {
  syncs++;
  return REAL(msync)(memory, count, flags);
}

__attribute__((destructor)) static void report(void) {
  FILE *file = getenv("WRITE_COUNTS") ? fopen(getenv("WRITE_COUNTS"), "w") : NULL;
  if (!file) return;
  fprintf(file, "%lu %lu %lu %lu\n", writes, bytes, syncs, blocks);
  fclose(file);
}
