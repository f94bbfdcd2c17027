/* I2C transfers through i2c-dev (I2C_RDWR), and through libi2c's SMBus calls on controllers that cannot
   do plain I2C. Results are 0 or -errno; -EMSGSIZE: the transfer has no SMBus form. */
#ifndef CI2C_H
#define CI2C_H

#include <stdint.h>

/* `bus` is a device ("/dev/i2c-1") or an adapter's name ("bcm2835 (i2c@7e804000)"), which does not
   change with the order of probing. Returns a file descriptor, -errno, or what is there of a bus without a device:
   its adapter alone, or i2c-dev too, which then has no node in /dev. */
enum { I2C_NO_DRIVER = -1001, I2C_NO_NODE = -1002 };
int i2c_open(const char *bus);

/* Whether the controller does I2C_RDWR (1) or SMBus only (0). */
int i2c_plain(int fd);

/* How long the controller waits for a stuck bus, in ms. */
int i2c_set_timeout(int fd, unsigned int milliseconds);

/* One transfer: write, read, or write then read with a repeated start; a count of 0 leaves a part out. */
int i2c_transfer(
  int fd, int plain, uint8_t address, const uint8_t *out, uint16_t out_count, uint8_t *in, uint16_t in_count);

#endif
