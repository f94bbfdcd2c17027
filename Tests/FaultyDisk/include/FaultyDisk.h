/* A disk in memory for SQLite, registered as its file layer "faulty". Every change can be the last one
   before the process is killed or the power fails; it can also be full. One disk for the whole process. */
#ifndef FAULTY_DISK_H
#define FAULTY_DISK_H

#include <stdint.h>

/* What a restart finds of what was written and not synced. */
enum {
  /* Everything: the process was killed, the system lives on. */
  FAULTY_DISK_KILLED,
  /* Any part of it: whole writes are missing, others are torn between sectors of 512 bytes, files that
     were made are gone and such that were removed are back. */
  FAULTY_DISK_POWER_LOSS,
  /* Nothing of it. */
  FAULTY_DISK_POWER_LOSS_EMPTY,
};

/* 0, or -1 when there is no libsqlite3. */
int faulty_disk_install(void);
/* An empty disk that works. */
void faulty_disk_format(void);
/* The next `changes` writes, truncations, syncs and removals work; then everything fails, as it looks to
   one who is dead. Negative: all work. */
void faulty_disk_die_after(long changes);
/* Writes of more than `bytes` in all fail for want of room; negative: there is room. */
void faulty_disk_fill(long bytes);
int faulty_disk_is_dead(void);
/* Changes since `faulty_disk_format`. */
long faulty_disk_changes(void);
/* Bytes written and syncs since then. */
long faulty_disk_bytes(void);
long faulty_disk_syncs(void);
/* The same disk, found by the next process. `seed` chooses what is found. */
void faulty_disk_restart(int how, uint64_t seed);

#endif
