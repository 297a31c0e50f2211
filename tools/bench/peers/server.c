/* An echo and a hello server in C, one thread and no scheduler: what the kernel charges for a request. By io_uring, where
   receives and sends are submitted in batches; with BY_EPOLL by readiness and a system call for each. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef BY_EPOLL
#include <errno.h>
#include <sys/epoll.h>
#else
#include <liburing.h>
#endif

static const char hello[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nhello, world\n";

struct conn {
  int fd, sends;
  size_t size;
  char text[4096];
};

static int says_hello;

/* What goes back for what has come: requests fit one receive. */
static const char *answer(struct conn *c, size_t n) {
  c->size = says_hello ? sizeof hello - 1 : n;
  return says_hello ? hello : c->text;
}

static struct conn *welcome(int fd) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct conn *c = malloc(sizeof *c);
  if (!c) exit(1);
  c->fd = fd;
  c->sends = 0;
  return c;
}

static void part(struct conn *c) {
  close(c->fd);
  free(c);
}

#ifdef BY_EPOLL
static void serve(int listener) {
  const int epoll = epoll_create1(0);
  struct epoll_event e = {.events = EPOLLIN}, events[256];
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
  for (;;) {
    const int n = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < n; ++i) {
      struct conn *c = events[i].data.ptr;
      if (!c) {
        const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0) continue;
        e.data.ptr = welcome(fd);
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
        continue;
      }
      const ssize_t got = recv(c->fd, c->text, sizeof c->text, 0);
      if (got < 0 && errno == EAGAIN) continue;
      if (got <= 0) {
        part(c);
        continue;
      }
      const char *back = answer(c, (size_t)got);
      if (send(c->fd, back, c->size, MSG_NOSIGNAL) < 0) part(c);
    }
  }
}
#else
static struct io_uring ring;

static struct io_uring_sqe *entry(void *of) {
  struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
  if (!sqe) {
    io_uring_submit(&ring);
    sqe = io_uring_get_sqe(&ring);
  }
  sqe->user_data = (uintptr_t)of;
  return sqe;
}

static void begin(struct conn *c, const char *back) {
  struct io_uring_sqe *sqe = entry(c);
  c->sends = back != NULL;
  if (back) io_uring_prep_send(sqe, c->fd, back, c->size, MSG_NOSIGNAL);
  else io_uring_prep_recv(sqe, c->fd, c->text, sizeof c->text, 0);
  sqe->user_data = (uintptr_t)c;
}

static void welcome_next(int listener) {
  io_uring_prep_accept(entry(NULL), listener, NULL, NULL, 0);
}

static void serve(int listener) {
  struct io_uring_params p = {.flags = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_CQSIZE,
                              .cq_entries = 16384};
  if (io_uring_queue_init_params(4096, &ring, &p) != 0) {
    fprintf(stderr, "no io_uring\n");
    exit(1);
  }
  welcome_next(listener);
  for (;;) {
    io_uring_submit_and_wait(&ring, 1);
    struct io_uring_cqe *cqe;
    unsigned head, seen = 0;
    io_uring_for_each_cqe(&ring, head, cqe) {
      ++seen;
      struct conn *c = (struct conn *)(uintptr_t)cqe->user_data;
      if (!c) {
        if (cqe->res >= 0) begin(welcome(cqe->res), NULL);
        welcome_next(listener);
      } else if (cqe->res <= 0) {
        part(c);
      } else {
        begin(c, c->sends ? NULL : answer(c, (size_t)cqe->res));
      }
    }
    io_uring_cq_advance(&ring, seen);
  }
}
#endif

static int usage(FILE *out) {
  fprintf(out, "usage: server echo|http [-p 1] [-addr 127.0.0.1:PORT]\n"
               "  echo           sends back what it receives\n"
               "  http           says hello to whatever it receives\n");
  return out == stdout ? 0 : 2;
}

int main(int argc, char **argv) {
  if (argc < 2) return usage(stderr);
  if (strcmp(argv[1], "--help") == 0) return usage(stdout);
  says_hello = strcmp(argv[1], "http") == 0;
  if (!says_hello && strcmp(argv[1], "echo") != 0) return usage(stderr);
  const char *port = "7001";
  for (int i = 2; i + 1 < argc; i += 2)
    if (strcmp(argv[i], "-addr") == 0 && strchr(argv[i + 1], ':')) port = strchr(argv[i + 1], ':') + 1;
  const int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  const struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (const struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 1024) != 0) {
    perror("listen");
    return 1;
  }
  serve(listener);
}
