// What `--version --verbose` tells of the build and the machine.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CLinux.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

#if SWIFTLET_EMBEDDED
#define KIND "Embedded, "
#else
#define KIND "ordinary, "
#endif

#if defined __aarch64__
#define ARCHITECTURE "arm64"
#elif defined __arm__ && __ARM_ARCH <= 6
#define ARCHITECTURE "armv6"
#elif defined __arm__
#define ARCHITECTURE "armhf"
#elif defined __x86_64__
#define ARCHITECTURE "x86-64"
#else
#define ARCHITECTURE "another architecture"
#endif

const char *linux_build(void) { return KIND ARCHITECTURE; }

// Libraries that the program is linked with are found in the program itself.
static const struct {
  const char *name, *file, *function, *use;
} libraries[] = {
  {"libgpiod", NULL, "gpiod_api_version", "lines"},
  {"libgpiod", NULL, "gpiod_version_string", "lines"},
  {"libi2c", NULL, "i2c_smbus_write_byte", "I2C"},
  {"libyaml", NULL, "yaml_get_version_string", "device files"},
  {"libssl", "libssl.so.3", "SSL_CTX_new", "mqtts:// and wss://"},
  {"libcrypto", "libcrypto.so.3", "OpenSSL_version", "mqtts://, wss:// and scram-sha-256"},
  {"libwslay", "libwslay.so.1", "wslay_frame_context_init", "ws:// and wss://"},
  {"libsqlite3", "libsqlite3.so.0", "sqlite3_libversion", "keep: disk"},
};
enum { GPIOD_2, GPIOD_1, I2C, YAML, SSL, CRYPTO, WSLAY, SQLITE, LIBRARIES };
// Under which chips and buses are looked for.
enum { NUMBERS = 256 };

static void write_library(int fd, int index) {
  const char *file = libraries[index].file, *name = libraries[index].name, *version = "is there";
  void *handle = dlopen(file, RTLD_LAZY | RTLD_LOCAL);
  void *function = handle ? dlsym(handle, libraries[index].function) : NULL;
  if (!function) {
    if (file) dprintf(fd, "library %s is not there: %s needs it\n", name, libraries[index].use);
    return;
  }
  if (index == CRYPTO) version = ((const char *(*)(int))function)(0);
  else if (index != I2C && index != SSL && index != WSLAY) version = ((const char *(*)(void))function)();
  dprintf(fd, "library %s %s\n", name, version);
}

// A text of the kernel, or why there is none. 0: there is no such file.
static int read_text(const char *path, char *text, size_t capacity) {
  ssize_t count = linux_read_file(path, text, capacity - 1);
  if (count < 0) snprintf(text, capacity, "not known: %s", linux_message((int)-count));
  else text[count - (count > 0 && text[count - 1] == '\n')] = 0;
  return count != -ENOENT;
}

// 0: there is no such chip. Its label has at most 31 bytes.
static int write_chip(int fd, int number, const char *path) {
  struct gpiochip_info info;
  int chip = open(path, O_RDONLY | O_CLOEXEC);
  if (chip < 0 && errno == ENOENT) return 0;
  if (chip < 0 || ioctl(chip, GPIO_GET_CHIPINFO_IOCTL, &info))
    dprintf(fd, "gpio    gpiochip%d: not known: %s\n", number, linux_message(errno));
  else dprintf(fd, "gpio    gpiochip%d: %.31s, %u lines\n", number, info.label, info.lines);
  if (chip >= 0) close(chip);
  return 1;
}

void linux_report(int fd) {
  char path[64], text[256];
  struct utsname system;
  if (!uname(&system)) dprintf(fd, "kernel  %s %s %s\n", system.sysname, system.release, system.machine);
  read_text("/proc/device-tree/model", text, sizeof text);
  dprintf(fd, "board   %s\n", text);
  for (int index = 0; index < LIBRARIES; index++) write_library(fd, index);
  int chips = 0, buses = 0;
  for (int number = 0; number < NUMBERS; number++) {
    snprintf(path, sizeof path, "/dev/gpiochip%d", number);
    chips += write_chip(fd, number, path);
  }
  if (!chips) dprintf(fd, "gpio    none\n");
  for (int number = 0; number < NUMBERS; number++) {
    snprintf(path, sizeof path, "/sys/class/i2c-dev/i2c-%d/name", number);
    if (!read_text(path, text, sizeof text)) continue;
    dprintf(fd, "i2c     i2c-%d: %s\n", number, text);
    buses++;
  }
  if (!buses) dprintf(fd, "i2c     none\n");
}
