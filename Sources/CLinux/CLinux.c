#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CLinux.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>

static int result(int value) { return value < 0 ? -errno : value; }

int linux_open_read(const char *path) { return result(open(path, O_RDONLY | O_CLOEXEC)); }

ssize_t linux_read_file(const char *path, void *buffer, size_t capacity) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  size_t count = 0;
  ssize_t got = 0;
  while (count < capacity && (got = read(fd, (char *)buffer + count, capacity - count)) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    count += (size_t)got;
  }
  int error = got < 0 ? -errno : 0;
  char more;
  if (!error && count == capacity && read(fd, &more, 1) == 1) error = -EFBIG;
  close(fd);
  return error ? error : (ssize_t)count;
}

int linux_replace_file(const char *path, const void *bytes, size_t count) {
  char other[4096];
  if (snprintf(other, sizeof other, "%s.new", path) >= (int)sizeof other) return -ENAMETOOLONG;
  int fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return -errno;
  int error = 0;
  for (size_t done = 0; done < count && !error;) {
    ssize_t put = write(fd, (const char *)bytes + done, count - done);
    if (put >= 0) done += (size_t)put;
    else if (errno != EINTR) error = -errno;
  }
  if (!error && fsync(fd) < 0) error = -errno;
  close(fd);
  if (!error && rename(other, path) < 0) error = -errno;
  if (error) unlink(other);
  return error;
}

int linux_take_name(const char *name) {
  /* A name of a socket that is in no file system: it begins with a zero, and goes with its last holder. */
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(name);
  if (length > sizeof address.sun_path - 1) {
    name += length - (sizeof address.sun_path - 1);
    length = sizeof address.sun_path - 1;
  }
  memcpy(address.sun_path + 1, name, length);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  if (bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)) == 0) return 0;
  int error = -errno;
  close(fd);
  return error;
}

int linux_remove_file(const char *path) { return unlink(path) < 0 ? -errno : 0; }

int linux_real_path(const char *path, char *whole, size_t capacity) {
  char *found = realpath(path, NULL);
  if (!found) return -errno;
  int length = snprintf(whole, capacity, "%s", found);
  free(found);
  return length < (int)capacity ? length : -ENAMETOOLONG;
}

int linux_is_directory(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

void linux_close(int fd) { close(fd); }

ssize_t linux_read(int fd, void *buffer, size_t count) {
  ssize_t got;
  do got = read(fd, buffer, count); while (got < 0 && errno == EINTR);
  return got < 0 ? -errno : got;
}

ssize_t linux_write(int fd, const void *bytes, size_t count) {
  ssize_t put;
  do put = write(fd, bytes, count); while (put < 0 && errno == EINTR);
  return put < 0 ? -errno : put;
}

ssize_t linux_write_now(int fd, const void *bytes, size_t count) {
  struct pollfd room = {.fd = fd, .events = POLLOUT};
  if (poll(&room, 1, 0) <= 0) return -EAGAIN;
  return linux_write(fd, bytes, count);
}

int linux_random(void *buffer, size_t count) {
  /* Early in boot the pool may not be ready; jitter does not need cryptographic quality. */
  return result((int)getrandom(buffer, count, GRND_NONBLOCK));
}

const char *linux_environment(const char *name) { return getenv(name); }

int linux_list(const char *directory, int (*each)(const char *, void *), void *context) {
  DIR *entries = opendir(directory);
  if (!entries) return -errno;
  struct dirent *entry;
  /* The end and an error look alike but for errno. */
  while ((errno = 0, entry = readdir(entries)))
    if (entry->d_name[0] != '.' && each(entry->d_name, context)) break;
  int error = entry ? 0 : errno;
  closedir(entries);
  return -error;
}

int64_t linux_wall_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int linux_is_clock_set(void) {
  struct timex state = {0};
  if (adjtimex(&state) >= 0 && !(state.status & STA_UNSYNC)) return 1;
  return access("/run/systemd/timesync/synchronized", F_OK) == 0;
}

uint32_t linux_boot(void) {
  char identifier[9] = "";
  ssize_t count = linux_read_file("/proc/sys/kernel/random/boot_id", identifier, sizeof identifier - 1);
  return count == sizeof identifier - 1 ? (uint32_t)strtoul(identifier, NULL, 16) : 0;
}

int64_t linux_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct epoll_event interest(uint32_t events, uint32_t token) {
  struct epoll_event event = {.data.u32 = token};
  if (events & LINUX_READABLE) event.events |= EPOLLIN;
  if (events & LINUX_WRITABLE) event.events |= EPOLLOUT;
  return event;
}

int linux_epoll_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

int linux_epoll_add(int epoll, int fd, uint32_t events, uint32_t token) {
  struct epoll_event event = interest(events, token);
  return result(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

int linux_epoll_change(int epoll, int fd, uint32_t events, uint32_t token) {
  struct epoll_event event = interest(events, token);
  return result(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event));
}

int linux_epoll_remove(int epoll, int fd) { return result(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL)); }

int linux_epoll_wait(int epoll, uint32_t *tokens, uint32_t *events, int capacity) {
  struct epoll_event ready[16];
  int count = epoll_wait(epoll, ready, capacity < 16 ? capacity : 16, -1);
  if (count < 0) return errno == EINTR ? 0 : -errno;
  for (int i = 0; i < count; i++) {
    tokens[i] = ready[i].data.u32;
    events[i] = (ready[i].events & EPOLLIN ? LINUX_READABLE : 0) |
                (ready[i].events & EPOLLOUT ? LINUX_WRITABLE : 0) |
                (ready[i].events & (EPOLLERR | EPOLLHUP) ? LINUX_CLOSED : 0);
  }
  return count;
}

int linux_timer_create(void) {
  return result(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

int linux_timer_set(int timer, int64_t at) {
  struct itimerspec when = {.it_value = {.tv_sec = at / 1000000000, .tv_nsec = at % 1000000000}};
  return result(timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL));
}

static void add_unless_ignored(sigset_t *set, int number) {
  struct sigaction inherited;
  if (sigaction(number, NULL, &inherited) == 0 && inherited.sa_handler != SIG_IGN) sigaddset(set, number);
}

int linux_signal_create(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  add_unless_ignored(&set, SIGINT);
  add_unless_ignored(&set, SIGHUP);
  int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (error) return -error;
  signal(SIGPIPE, SIG_IGN);
  return result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int linux_signal_read(int fd) {
  struct signalfd_siginfo info;
  ssize_t got = read(fd, &info, sizeof info);
  if (got < 0) return -errno;
  return got == sizeof info ? (int)info.ssi_signo : -EIO;
}

int linux_event_create(void) { return result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int linux_pipe(int ends[2], int nonblocking_read) {
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  return nonblocking_read ? result(fcntl(ends[0], F_SETFL, O_NONBLOCK)) : 0;
}

int linux_wait_readable(int first, int second) {
  struct pollfd pipes[2] = {{.fd = first, .events = POLLIN}, {.fd = second, .events = POLLIN}};
  while (pipes[0].fd >= 0 || pipes[1].fd >= 0) {
    if (poll(pipes, 2, -1) < 0 && errno != EINTR) return -errno;
    for (int i = 0; i < 2; i++)
      if (pipes[i].revents & POLLIN) return i;
    for (int i = 0; i < 2; i++)
      if (pipes[i].revents) pipes[i].fd = -1;
  }
  return -ENODATA;
}

int linux_thread_start(void *(*body)(void *), void *context, size_t stack) {
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, before;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, stack);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&thread, &attributes, body, context);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return -error;
}

static int local_address(const char *path, linux_address *found) {
  struct sockaddr_un *local = (struct sockaddr_un *)&found->storage;
  size_t length = strlen(path);
  if (length >= sizeof local->sun_path) return EAI_NONAME;
  local->sun_family = AF_UNIX;
  memcpy(local->sun_path, path, length + 1);
  found->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
  return 1;
}

/* Every interface has such addresses: the system cannot tell which network is meant. */
static int needs_interface(const struct sockaddr *address) {
  if (address->sa_family != AF_INET6) return 0;
  const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
  return IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr) && six->sin6_scope_id == 0;
}

int linux_resolve(const char *host, uint16_t port, int numeric_only, linux_address *found, int capacity) {
  if (host[0] == '/') return local_address(host, &found[0]);
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
  if (numeric_only) hints.ai_flags |= AI_NUMERICHOST;
  char service[8];
  int digits = 0;
  for (unsigned rest = port, scale = 10000; scale; scale /= 10)
    if (digits || rest / scale % 10 || scale == 1) service[digits++] = (char)('0' + rest / scale % 10);
  service[digits] = 0;
  struct addrinfo *list = NULL;
  int error = getaddrinfo(host, service, &hints, &list);
  if (error) return error < 0 ? error : -error;
  int count = 0, without_interface = 0;
  for (struct addrinfo *info = list; info; info = info->ai_next) {
    if (needs_interface(info->ai_addr)) {
      without_interface++;
      continue;
    }
    /* One of the other family is worth more than the last of many of the first. */
    if (count == capacity) {
      int first = list->ai_family;
      if (info->ai_family == first || found[count - 1].storage.ss_family != first) continue;
      count--;
    }
    memcpy(&found[count].storage, info->ai_addr, info->ai_addrlen);
    found[count++].length = info->ai_addrlen;
  }
  freeaddrinfo(list);
  return count == 0 && without_interface ? LINUX_NEEDS_INTERFACE : count;
}

const char *linux_resolve_message(int code) {
  if (code == LINUX_NEEDS_INTERFACE) return "a link-local address needs its interface: [fe80::1%eth0]";
  return gai_strerror(code);
}

int linux_needs_interface(const char *host) {
  struct sockaddr_in6 address = {.sin6_family = AF_INET6};
  return inet_pton(AF_INET6, host, &address.sin6_addr) == 1 && needs_interface((struct sockaddr *)&address);
}

int linux_same_address(const linux_address *left, const linux_address *right) {
  return left->length == right->length && memcmp(&left->storage, &right->storage, left->length) == 0;
}

int linux_numeric_address(const char *text, uint8_t bytes[16]) {
  if (inet_pton(AF_INET, text, bytes) == 1) return 4;
  return inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
}

int linux_connect(const linux_address *address) {
  int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd, (const struct sockaddr *)&address->storage, address->length) < 0 && errno != EINPROGRESS) {
    int error = -errno;
    close(fd);
    return error;
  }
  return fd;
}

int linux_socket_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return errno;
  return error;
}

int linux_round_trip(int fd) {
  struct tcp_info info;
  socklen_t length = sizeof info;
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0 ? 0 : (int)(info.tcpi_rtt & 0x7fffffff);
}

void linux_acknowledge_now(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

void linux_end_writing(int fd) { shutdown(fd, SHUT_WR); }

const char *linux_message(int error) { return strerror(error); }
