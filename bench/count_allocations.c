/* Counts what a program takes from the heap. Preloaded; the counters are in the file that
   ALLOCATION_COUNTERS names, which the measuring program maps as well and reads while this one runs.

   Built by bench/__main__.py. While `trace` is set, each allocation's callers are written to standard
   error as addresses relative to the program, for llvm-symbolizer. */
#define _GNU_SOURCE
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

struct counters {
  /* `own`: those whose immediate caller is the program itself, not a library. */
  _Atomic uint64_t allocations, frees, bytes, trace, own;
};
static struct counters none;
static struct counters *counters = &none;
static uintptr_t base, end;

static int first_object(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size;
  (void)context;
  base = info->dlpi_addr;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type == PT_LOAD && end < base + part->p_vaddr + part->p_memsz)
      end = base + part->p_vaddr + part->p_memsz;
  }
  return 1;
}

__attribute__((constructor)) static void map_counters(void) {
  const char *path = getenv("ALLOCATION_COUNTERS");
  int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *mapped = mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  dl_iterate_phdr(first_object, NULL);
  void *warm_up[1];
  backtrace(warm_up, 1); /* its first call allocates */
  if (mapped != MAP_FAILED) counters = mapped;
}

static void count(size_t size, void *caller) {
  static _Thread_local int inside;
  atomic_fetch_add(&counters->allocations, 1);
  if ((uintptr_t)caller >= base && (uintptr_t)caller < end) atomic_fetch_add(&counters->own, 1);
  atomic_fetch_add(&counters->bytes, size);
  if (!atomic_load(&counters->trace) || inside) return;
  inside = 1;
  void *callers[24];
  int depth = backtrace(callers, 24);
  char line[24 * 20];
  int length = snprintf(line, sizeof line, "allocation %zu:", size);
  for (int i = 2; i < depth && length < (int)sizeof line - 20; i++)
    length += snprintf(line + length, sizeof line - length, " %#zx", (uintptr_t)callers[i] - base);
  line[length++] = '\n';
  if (write(STDERR_FILENO, line, length) < 0) atomic_store(&counters->trace, 0);
  inside = 0;
}

void *malloc(size_t size) {
  count(size, __builtin_return_address(0));
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  count(number * size, __builtin_return_address(0));
  return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
  count(size, __builtin_return_address(0));
  return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
  count(size, __builtin_return_address(0));
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  count(size, __builtin_return_address(0));
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
  count(size, __builtin_return_address(0));
  void *memory = __libc_memalign(alignment, size);
  if (!memory) return ENOMEM;
  *result = memory;
  return 0;
}

void free(void *memory) {
  if (memory) atomic_fetch_add(&counters->frees, 1);
  __libc_free(memory);
}
