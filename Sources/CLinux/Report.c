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

ssize_t linux_kernel(char *text, size_t capacity) {
  struct utsname system;
  if (uname(&system)) return -errno;
  return snprintf(text, capacity, "%s %s %s", system.sysname, system.release, system.machine);
}

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

int linux_library_at(int index, linux_library *library) {
  if (index >= LIBRARIES) return 0;
  void *handle = dlopen(libraries[index].file, RTLD_LAZY | RTLD_LOCAL);
  void *function = handle ? dlsym(handle, libraries[index].function) : NULL;
  library->name = libraries[index].name;
  library->use = libraries[index].use;
  library->version = NULL;
  library->is_linked = !libraries[index].file;
  if (!function) return 1;
  switch (index) {
  case I2C: case SSL: case WSLAY: library->version = ""; break;
  case CRYPTO: library->version = ((const char *(*)(int))function)(0); break;
  default: library->version = ((const char *(*)(void))function)(); break;
  }
  return 1;
}

int linux_gpio_chip(unsigned int number, char *label, unsigned int *lines) {
  char path[32];
  snprintf(path, sizeof path, "/dev/gpiochip%u", number);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  struct gpiochip_info info;
  int error = ioctl(fd, GPIO_GET_CHIPINFO_IOCTL, &info) ? -errno : 0;
  close(fd);
  if (error) return error;
  memcpy(label, info.label, sizeof info.label);
  label[sizeof info.label - 1] = 0;
  *lines = info.lines;
  return 0;
}
