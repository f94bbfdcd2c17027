// SPDX-License-Identifier: GPL-2.0
/*
 * An I2C bus without hardware: an adapter whose targets are memory, for tests
 * that need what i2c-stub does not offer: I2C_RDWR, and faults on demand.
 *
 * Every target is a directory in debugfs, swiftlet-i2c-sim/0xNN:
 *
 *   present    Y: acknowledges its address; N (the start): does not
 *   registers  256 bytes, read and written at the register pointer, which the
 *              first byte of a write sets and every byte moves on
 *   stride     bytes per step of the pointer byte: 1, or 2 for word registers
 *   commands   records of 16 bytes for targets with 16-bit commands: command
 *              (2, big end first), length (1), answer (13). When the first
 *              record has a length, a read returns the answer to the last
 *              command, and an unknown command is not acknowledged on reading
 *   written    the bytes of the last write
 *   flip       bits to invert in the first byte of every read
 *   error      errno that every transfer ends with, 0 for none
 *   limit      messages after which a transfer ends short, 0 for none
 *   hang_ms    every transfer first holds the bus for so long; writing 0
 *              releases it at once
 *   hanging    Y while a transfer holds the bus
 *   transfers  how many there were, with the refused ones
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/i2c.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define FIRST 0x08
#define LAST 0x77

struct record {
	u8 command[2];
	u8 length;
	u8 answer[13];
};

struct target {
	bool present, hanging;
	u8 registers[256], written[32], flip, pointer;
	struct record commands[16];
	u32 stride, error, limit, hang_ms, transfers;
	struct debugfs_blob_wrapper registers_file, commands_file, written_file;
};

static struct target *targets;

static int command_read(struct target *t, struct i2c_msg *m)
{
	struct record *r;

	for (r = t->commands; r < t->commands + ARRAY_SIZE(t->commands); r++) {
		if (!r->length || memcmp(r->command, t->written, 2))
			continue;
		memset(m->buf, 0xff, m->len);
		memcpy(m->buf, r->answer, min3((size_t)r->length, sizeof(r->answer), (size_t)m->len));
		return 0;
	}
	return -ENXIO;
}

static int read_message(struct target *t, struct i2c_msg *m)
{
	int i, error = 0;

	if (t->commands[0].length)
		error = command_read(t, m);
	else
		for (i = 0; i < m->len; i++)
			m->buf[i] = t->registers[t->pointer++];
	if (m->len)
		m->buf[0] ^= t->flip;
	return error;
}

static void write_message(struct target *t, struct i2c_msg *m)
{
	int i;

	memset(t->written, 0, sizeof(t->written));
	memcpy(t->written, m->buf, min_t(size_t, m->len, sizeof(t->written)));
	if (!m->len || t->commands[0].length)
		return;
	t->pointer = m->buf[0] * t->stride;
	for (i = 1; i < m->len; i++)
		t->registers[t->pointer++] = m->buf[i];
}

/* Not interruptible, as a bus driver that waits for its hardware is not. */
static void hold_bus(struct target *t)
{
	unsigned long start = jiffies;

	t->hanging = true;
	while (time_before(jiffies, start + msecs_to_jiffies(READ_ONCE(t->hang_ms))))
		msleep(1);
	t->hanging = false;
}

static int transfer(struct i2c_adapter *adapter, struct i2c_msg *messages, int count)
{
	struct target *t;
	int i, error = 0;

	for (i = 0; i < count && !error; i++) {
		struct i2c_msg *m = &messages[i];

		if (m->addr < FIRST || m->addr > LAST)
			return -ENXIO;
		t = &targets[m->addr - FIRST];
		if (!i) {
			t->transfers++;
			if (t->hang_ms)
				hold_bus(t);
		}
		if (t->error)
			return -(int)t->error;
		if (!t->present)
			return -ENXIO;
		if (t->limit && i == t->limit)
			return i;
		if (m->flags & I2C_M_RD)
			error = read_message(t, m);
		else
			write_message(t, m);
	}
	return error ? error : count;
}

static u32 functionality(struct i2c_adapter *adapter)
{
	return I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL;
}

static const struct i2c_algorithm algorithm = {
	.master_xfer = transfer,
	.functionality = functionality,
};

static struct i2c_adapter adapter = {
	.owner = THIS_MODULE,
	.name = "swiftlet-i2c-sim",
	.algo = &algorithm,
};

static ssize_t bytes_read(struct file *file, char __user *to, size_t size, loff_t *at)
{
	struct debugfs_blob_wrapper *bytes = file->private_data;

	return simple_read_from_buffer(to, size, at, bytes->data, bytes->size);
}

static ssize_t bytes_write(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	struct debugfs_blob_wrapper *bytes = file->private_data;

	return simple_write_to_buffer(bytes->data, bytes->size, at, from, size);
}

static const struct file_operations bytes_operations = {
	.open = simple_open,
	.read = bytes_read,
	.write = bytes_write,
	.llseek = default_llseek,
};

#define BYTES(field, mode) do { \
	t->field##_file.data = &t->field; \
	t->field##_file.size = sizeof(t->field); \
	debugfs_create_file(#field, mode, directory, &t->field##_file, &bytes_operations); \
} while (0)

static void describe(struct target *t, struct dentry *directory)
{
	t->stride = 1;
	debugfs_create_bool("present", 0644, directory, &t->present);
	debugfs_create_bool("hanging", 0444, directory, &t->hanging);
	debugfs_create_u8("flip", 0644, directory, &t->flip);
	debugfs_create_u32("stride", 0644, directory, &t->stride);
	debugfs_create_u32("error", 0644, directory, &t->error);
	debugfs_create_u32("limit", 0644, directory, &t->limit);
	debugfs_create_u32("hang_ms", 0644, directory, &t->hang_ms);
	debugfs_create_u32("transfers", 0444, directory, &t->transfers);
	BYTES(registers, 0644);
	BYTES(commands, 0644);
	BYTES(written, 0444);
}

static int __init swiftlet_i2c_sim_init(void)
{
	struct dentry *top = debugfs_create_dir(adapter.name, NULL);
	char name[8];
	int address;

	targets = kcalloc(LAST - FIRST + 1, sizeof(*targets), GFP_KERNEL);
	if (!targets)
		return -ENOMEM;
	for (address = FIRST; address <= LAST; address++) {
		snprintf(name, sizeof(name), "0x%02x", address);
		describe(&targets[address - FIRST], debugfs_create_dir(name, top));
	}
	return i2c_add_adapter(&adapter);
}
device_initcall(swiftlet_i2c_sim_init);
