#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CI2C.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <i2c/smbus.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The adapters that programs can use, because i2c-dev is loaded; and all of them, with the chips on them. */
#define USABLE "/sys/class/i2c-dev/"
#define ADAPTERS "/sys/bus/i2c/devices/"

/* 1: it has; 0: it has not; negative: not to be known, for want of a file or of the right. */
static int has_name(const char *entry, const char *name) {
  char path[96] = USABLE, found[128];
  strncat(path, entry, sizeof path - strlen(path) - 1);
  strncat(path, "/name", sizeof path - strlen(path) - 1);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? 0 : -errno;
  ssize_t count = read(fd, found, sizeof found - 1);
  close(fd);
  if (count <= 0) return 0;
  found[count - (found[count - 1] == '\n')] = 0;
  return strcmp(found, name) == 0;
}

/* The device of the adapter with that name; -ENODEV where there is none. */
static int find_adapter(const char *name, char *device, size_t capacity) {
  DIR *adapters = opendir(USABLE);
  if (!adapters) return errno == ENOENT ? -ENODEV : -errno;
  int answer = -ENODEV;
  struct dirent *entry;
  while (answer && (entry = readdir(adapters))) {
    if (entry->d_name[0] == '.') continue;
    int named = has_name(entry->d_name, name);
    if (named < 0) answer = named;
    if (named <= 0) continue;
    strncpy(device, "/dev/", capacity);
    strncat(device, entry->d_name, capacity - 6);
    answer = 0;
  }
  closedir(adapters);
  return answer;
}

static int is_in(const char *list, const char *adapter) {
  char path[96] = "";
  strncat(path, list, sizeof path - 1);
  strncat(path, adapter, sizeof path - strlen(path) - 1);
  return access(path, F_OK) == 0;
}

/* What is there of a bus that has no device. */
static int missing(const char *device) {
  const char *adapter = strrchr(device, '/') + 1;
  if (strncmp(adapter, "i2c-", 4) != 0) return -ENOENT;
  if (is_in(USABLE, adapter)) return I2C_NO_NODE;
  return is_in(ADAPTERS, adapter) ? I2C_NO_DRIVER : -ENOENT;
}

int i2c_open(const char *bus) {
  char device[64];
  if (bus[0] != '/') {
    int error = find_adapter(bus, device, sizeof device);
    if (error) return error;
    bus = device;
  }
  int fd = open(bus, O_RDWR | O_CLOEXEC);
  if (fd >= 0) return fd;
  return errno == ENOENT ? missing(bus) : -errno;
}

int i2c_plain(int fd) {
  unsigned long functions = 0;
  return ioctl(fd, I2C_FUNCS, &functions) == 0 && (functions & I2C_FUNC_I2C) != 0;
}

int i2c_set_timeout(int fd, unsigned int milliseconds) {
  /* The unit is 10 ms. */
  return ioctl(fd, I2C_TIMEOUT, (unsigned long)(milliseconds + 9) / 10) < 0 ? -errno : 0;
}

static int plain_transfer(
  int fd, uint8_t address, const uint8_t *out, uint16_t out_count, uint8_t *in, uint16_t in_count) {
  struct i2c_msg messages[2];
  unsigned int count = 0;
  if (out_count || !in_count)
    messages[count++] = (struct i2c_msg){.addr = address, .len = out_count, .buf = (uint8_t *)out};
  if (in_count)
    messages[count++] = (struct i2c_msg){.addr = address, .flags = I2C_M_RD, .len = in_count, .buf = in};
  struct i2c_rdwr_ioctl_data transfer = {.msgs = messages, .nmsgs = count};
  int done = ioctl(fd, I2C_RDWR, &transfer);
  if (done < 0) return -errno;
  return done == (int)count ? 0 : -ENODATA;
}

static int smbus_write(int fd, const uint8_t *out, uint16_t count) {
  if (count == 0) return i2c_smbus_write_quick(fd, I2C_SMBUS_WRITE);
  if (count == 1) return i2c_smbus_write_byte(fd, out[0]);
  if (count - 1 > I2C_SMBUS_BLOCK_MAX) return -EMSGSIZE;
  return i2c_smbus_write_i2c_block_data(fd, out[0], (uint8_t)(count - 1), out + 1);
}

static int smbus_transfer(
  int fd, uint8_t address, const uint8_t *out, uint16_t out_count, uint8_t *in, uint16_t in_count) {
  if (ioctl(fd, I2C_SLAVE, (unsigned long)address) < 0) return -errno;
  if (!in_count) return smbus_write(fd, out, out_count);
  if (!out_count && in_count == 1) {
    int value = i2c_smbus_read_byte(fd);
    if (value >= 0) in[0] = (uint8_t)value;
    return value < 0 ? value : 0;
  }
  if (out_count != 1 || in_count > I2C_SMBUS_BLOCK_MAX) return -EMSGSIZE;
  int got = i2c_smbus_read_i2c_block_data(fd, out[0], (uint8_t)in_count, in);
  if (got < 0) return got;
  return got == in_count ? 0 : -ENODATA;
}

int i2c_transfer(
  int fd, int plain, uint8_t address, const uint8_t *out, uint16_t out_count, uint8_t *in, uint16_t in_count) {
  return plain ? plain_transfer(fd, address, out, out_count, in, in_count)
               : smbus_transfer(fd, address, out, out_count, in, in_count);
}
