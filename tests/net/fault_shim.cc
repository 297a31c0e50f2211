// Preloaded: makes system calls fail, or do a part only, as a busy or hostile machine makes them.
//
// WEFT_TEST_FAULT=CALL:ERROR:FIRST:COUNT: calls number FIRST to FIRST + COUNT - 1 of the C
// library's function CALL fail with the error number ERROR. 0 instead: they transfer at most one
// byte.
#include <dlfcn.h>
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

namespace {

struct fault {
  char call[64] = "";
  int error = 0;
  long first = 0, count = 0;

  fault() {
    const char* text = getenv("WEFT_TEST_FAULT");
    if (text && sscanf(text, "%63[^:]:%d:%ld:%ld", call, &error, &first, &count) != 4) abort();
  }
};

const fault& wanted() {
  static const fault f;
  return f;
}

std::atomic<long> calls{0};

bool hits(const char* call) {
  const fault& f = wanted();
  if (strcmp(f.call, call) != 0) return false;
  const long n = ++calls;
  return n >= f.first && n < f.first + f.count;
}

template <class F>
F* real(F*, const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// Fails with the error: returns FAILURE, errno set.
#define WEFT_FAILS(result, name, parameters, arguments)                                \
  result name parameters {                                                             \
    static auto* const next = real(static_cast<result(*) parameters>(nullptr), #name); \
    if (hits(#name)) {                                                                 \
      errno = wanted().error;                                                          \
      return -1;                                                                       \
    }                                                                                  \
    return next arguments;                                                             \
  }
// Fails, or transfers one byte.
#define WEFT_SHORT(result, name, parameters, arguments, size)                          \
  result name parameters {                                                             \
    static auto* const next = real(static_cast<result(*) parameters>(nullptr), #name); \
    if (hits(#name)) {                                                                 \
      if (wanted().error) {                                                            \
        errno = wanted().error;                                                        \
        return -1;                                                                     \
      }                                                                                \
      if (size > 1) size = 1;                                                          \
    }                                                                                  \
    return next arguments;                                                             \
  }
// Returns the error number.
#define WEFT_RETURNS(sign, name, parameters, arguments)                             \
  int name parameters {                                                             \
    static auto* const next = real(static_cast<int(*) parameters>(nullptr), #name); \
    if (hits(#name)) return sign wanted().error;                                    \
    return next arguments;                                                          \
  }

extern "C" {
WEFT_SHORT(ssize_t, recv, (int fd, void* to, size_t n, int flags), (fd, to, n, flags), n)
WEFT_SHORT(ssize_t, send, (int fd, const void* from, size_t n, int flags), (fd, from, n, flags), n)
WEFT_SHORT(ssize_t, read, (int fd, void* to, size_t n), (fd, to, n), n)
WEFT_SHORT(ssize_t, write, (int fd, const void* from, size_t n), (fd, from, n), n)
WEFT_SHORT(ssize_t, sendfile, (int to, int from, off_t* at, size_t n), (to, from, at, n), n)
WEFT_FAILS(ssize_t, recvmsg, (int fd, msghdr* m, int flags), (fd, m, flags))
WEFT_FAILS(ssize_t, sendmsg, (int fd, const msghdr* m, int flags), (fd, m, flags))
WEFT_FAILS(ssize_t, preadv2, (int fd, const iovec* v, int n, off_t at, int flags), (fd, v, n, at, flags))
WEFT_FAILS(ssize_t, pwritev2, (int fd, const iovec* v, int n, off_t at, int flags), (fd, v, n, at, flags))
WEFT_FAILS(int, accept4, (int fd, sockaddr* a, socklen_t* n, int flags), (fd, a, n, flags))
WEFT_FAILS(int, connect, (int fd, const sockaddr* a, socklen_t n), (fd, a, n))
WEFT_FAILS(int, socket, (int family, int type, int protocol), (family, type, protocol))
WEFT_FAILS(int, bind, (int fd, const sockaddr* a, socklen_t n), (fd, a, n))
WEFT_FAILS(int, listen, (int fd, int n), (fd, n))
WEFT_FAILS(int, getsockname, (int fd, sockaddr* a, socklen_t* n), (fd, a, n))
WEFT_FAILS(int, setsockopt, (int fd, int level, int name, const void* v, socklen_t n), (fd, level, name, v, n))
WEFT_FAILS(int, shutdown, (int fd, int how), (fd, how))
WEFT_FAILS(int, epoll_create1, (int flags), (flags))
WEFT_FAILS(int, epoll_ctl, (int e, int op, int fd, epoll_event* ev), (e, op, fd, ev))
WEFT_FAILS(int, epoll_pwait2, (int e, epoll_event* ev, int n, const timespec* t, const sigset_t* s), (e, ev, n, t, s))
WEFT_FAILS(int, epoll_wait, (int e, epoll_event* ev, int n, int ms), (e, ev, n, ms))
WEFT_FAILS(int, eventfd, (unsigned n, int flags), (n, flags))
WEFT_FAILS(int, pipe2, (int* ends, int flags), (ends, flags))
WEFT_FAILS(int, waitid, (idtype_t t, id_t id, siginfo_t* i, int how), (t, id, i, how))
WEFT_FAILS(int, fstat, (int fd, struct stat* s), (fd, s))
WEFT_FAILS(int, poll, (pollfd * at, nfds_t n, int ms), (at, n, ms))
WEFT_FAILS(int, ppoll, (pollfd * at, nfds_t n, const timespec* t, const sigset_t* s), (at, n, t, s))
WEFT_RETURNS(+, posix_spawnp,
             (pid_t * p, const char* file, const posix_spawn_file_actions_t* fa, const posix_spawnattr_t* at,
              char* const argv[], char* const envp[]),
             (p, file, fa, at, argv, envp))
WEFT_RETURNS(+, pthread_create, (pthread_t * t, const pthread_attr_t* a, void* (*f)(void*), void* arg), (t, a, f, arg))
WEFT_RETURNS(-, io_uring_enter, (unsigned fd, unsigned n, unsigned least, unsigned flags, sigset_t* s),
             (fd, n, least, flags, s))
WEFT_RETURNS(-, io_uring_queue_init_params, (unsigned n, io_uring* r, io_uring_params* p), (n, r, p))
WEFT_RETURNS(-, io_uring_queue_init, (unsigned n, io_uring* r, unsigned flags), (n, r, flags))
WEFT_RETURNS(-, io_uring_register_sync_cancel, (io_uring * r, io_uring_sync_cancel_reg* reg), (r, reg))

int open(const char* path, int flags, ...) {
  static auto* const next = reinterpret_cast<int (*)(const char*, int, ...)>(dlsym(RTLD_NEXT, "open"));
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (hits("open")) {
    errno = wanted().error;
    return -1;
  }
  return next(path, flags, mode);
}

int fcntl(int fd, int what, ...) {
  static auto* const next = reinterpret_cast<int (*)(int, int, ...)>(dlsym(RTLD_NEXT, "fcntl"));
  va_list rest;
  va_start(rest, what);
  void* const arg = va_arg(rest, void*);
  va_end(rest);
  if (hits("fcntl")) {
    errno = wanted().error;
    return -1;
  }
  return next(fd, what, arg);
}
}
