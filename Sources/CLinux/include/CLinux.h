/* The system calls LinuxPlatform uses, in shapes Swift can say: results are -errno instead of the
   errno variable, and no variadic functions, packed structs or function-like macros. */
#ifndef CLINUX_H
#define CLINUX_H

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sysexits.h>
#include <unistd.h>

/* Files. `linux_read_file` reads at most `capacity` bytes; a longer file gives -EFBIG. */
int linux_open_read(const char *path);
ssize_t linux_read_file(const char *path, void *buffer, size_t capacity);
/* Puts a file with these bytes in the place of another one: after a loss of power there is the old one or the new one. */
int linux_replace_file(const char *path, const void *bytes, size_t count);
int linux_remove_file(const char *path);
/* The whole path of a file, without links: its length, which is less than `capacity`. */
int linux_real_path(const char *path, char *whole, size_t capacity);
int linux_is_directory(const char *path);
void linux_close(int fd);
ssize_t linux_read(int fd, void *buffer, size_t count);
ssize_t linux_write(int fd, const void *bytes, size_t count);
/* Writes only if that does not have to wait for a reader; -EAGAIN otherwise. For files whose O_NONBLOCK is
   not ours to set because other programs share them, such as standard error. At most PIPE_BUF bytes. */
ssize_t linux_write_now(int fd, const void *bytes, size_t count);
int linux_random(void *buffer, size_t count);
const char *linux_environment(const char *name);

/* Directory listing: calls `each` with every entry's name; stops when it returns non-zero. 0, or minus errno when the
   directory cannot be listed to its end. */
int linux_list(const char *directory, int (*each)(const char *name, void *context), void *context);

/* Time: the monotonic clock, which timerfd, GPIO events and epoll share. */
int64_t linux_now(void);
/* A number that is another one after each boot; 0 when the kernel tells none. */
uint32_t linux_boot(void);
/* The time of day, in milliseconds since 1970. */
int64_t linux_wall_time(void);
/* Whether somebody who knows has set it: the kernel's own status, or systemd-timesyncd's mark. */
int linux_is_clock_set(void);

/* Takes a name that one process of this machine can have until it ends; -EADDRINUSE: another one has it. */
int linux_take_name(const char *name);

/* epoll with plain integers: `events` holds LINUX_READABLE and so on, `token` comes back as given. */
enum { LINUX_READABLE = 1, LINUX_WRITABLE = 2, LINUX_CLOSED = 4 };
int linux_epoll_create(void);
int linux_epoll_add(int epoll, int fd, uint32_t events, uint32_t token);
int linux_epoll_change(int epoll, int fd, uint32_t events, uint32_t token);
int linux_epoll_remove(int epoll, int fd);
/* Waits for ever; fills tokens and events, returns how many. A signal gives 0. */
int linux_epoll_wait(int epoll, uint32_t *tokens, uint32_t *events, int capacity);

/* A timer that becomes readable at an absolute monotonic time in ns; 0 disarms. */
int linux_timer_create(void);
int linux_timer_set(int timer, int64_t at);

/* SIGTERM, SIGINT and SIGHUP as a readable file; SIGPIPE ignored. The latter two stay ignored when they were,
   as under nohup. Before any thread starts. */
int linux_signal_create(void);
int linux_signal_read(int fd);

/* An eventfd: eight bytes written make it readable, eight bytes read make it unreadable again. */
int linux_event_create(void);

int linux_pipe(int ends[2], int nonblocking_read);
/* Waits until one of two pipes has bytes: 0 or 1, the first one if both have. -ENODATA: both are at their end. */
int linux_wait_readable(int first, int second);

/* A thread with a small stack and no signals of its own. */
int linux_thread_start(void *(*body)(void *), void *context, size_t stack);

/* Non-blocking TCP with TCP_NODELAY. `address` is what the resolver gave. Connecting returns the
   socket, whose outcome `linux_socket_error` tells once it is writable. */
typedef struct {
  struct sockaddr_storage storage;
  socklen_t length;
} linux_address;
enum { LINUX_ADDRESSES = 8 };
/* Blocks (DNS); numeric addresses do not, nor do paths of local sockets. Returns the number found or -EAI_…, or that
   all that was found are link-local addresses of no interface. */
int linux_resolve(const char *host, uint16_t port, int numeric_only, linux_address *found, int capacity);
enum { LINUX_NEEDS_INTERFACE = -1000 };
const char *linux_resolve_message(int code);
/* Whether it is a link-local IPv6 address that does not say of which interface. */
int linux_needs_interface(const char *host);
int linux_same_address(const linux_address *left, const linux_address *right);
/* A numeric address as bytes: how many, 4 or 16, or 0 when it is none. */
int linux_numeric_address(const char *text, uint8_t bytes[16]);
int linux_connect(const linux_address *address);
int linux_socket_error(int fd);
/* How long an answer takes at least, in microseconds; 0: it is not known. */
int linux_round_trip(int fd);
/* Confirms what was read now instead of up to 40 ms later: a broker without TCP_NODELAY, as mosquitto is by
   default, holds the next command back until then. Lasts until about the next read. */
void linux_acknowledge_now(int fd);
/* Ends the stream of what we send; what the other side sends can still be read. */
void linux_end_writing(int fd);

/* How the program was built: "Embedded, arm64". */
const char *linux_build(void);
/* Writes what can be told of the machine, a line each: kernel, board, libraries (those that are loaded when something
   needs them are loaded by it), GPIO chips and I2C buses. What cannot be read is named with the reason. Chips are
   numbered as they come, so the numbers are for telling which there are, never for finding one. */
void linux_report(int fd);

/* A system error number as text ("No such file or directory"). */
const char *linux_message(int error);

#endif
