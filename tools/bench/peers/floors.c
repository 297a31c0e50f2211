/* What the machine charges without any scheduler: a switch of stacks, an atomic operation, a cache line that goes from
   core to core and back, a futex round trip, and the like. The same flags and line of JSON as the other peers. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The CPUs that the process may use, read before any thread is bound. */
static cpu_set_t may;

/* Binds the calling thread to the k-th of them, or to the last. */
static void pin_to(int k) {
  cpu_set_t one;
  for (int cpu = 0, seen = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &may) && seen++ <= k) {
      CPU_ZERO(&one);
      CPU_SET(cpu, &one);
    }
  pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}

/* A switch: the callee-saved registers go onto one stack and come from another. It ends in a jump and not in a return,
   which the processor would predict wrong every time. */
#if defined(__x86_64__)
#define HAVE_SWITCH 1
__attribute__((naked, noinline)) static void swap_stacks(void **from, void *to) {
  (void)from;
  (void)to;
  __asm__(
      "push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n push %r15\n"
      "mov %rsp, (%rdi)\n mov %rsi, %rsp\n"
      "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbx\n pop %rbp\n"
      "pop %rcx\n jmp *%rcx\n");
}

static void *stacks[2];

static void other_side(void) {
  for (;;) swap_stacks(&stacks[1], stacks[0]);
}

static int64_t switches(int64_t n, int p) {
  (void)p;
  static _Alignas(64) char memory[16384];
  void **top = (void **)(memory + sizeof memory) - 2;
  *--top = (void *)other_side;
  top -= 6; /* the registers' places */
  stacks[1] = top;
  const int64_t began = now_ns();
  for (int64_t i = 0; i < n; i += 2) swap_stacks(&stacks[0], stacks[1]);
  return now_ns() - began;
}
#endif

static int64_t atomics(int64_t n, int p) {
  (void)p;
  static _Atomic int64_t word;
  const int64_t began = now_ns();
  for (int64_t i = 0; i < n; ++i) atomic_fetch_add(&word, 1);
  return now_ns() - began;
}

static int64_t clocks(int64_t n, int p) {
  (void)p;
  const int64_t began = now_ns();
  for (int64_t i = 0; i < n; ++i) now_ns();
  return now_ns() - began;
}

static int64_t system_calls(int64_t n, int p) {
  (void)p;
  const int64_t began = now_ns();
  for (int64_t i = 0; i < n; ++i) syscall(SYS_getppid);
  return now_ns() - began;
}

static int64_t page_faults(int64_t n, int p) {
  (void)p;
  const long page = sysconf(_SC_PAGESIZE);
  char *at = mmap(NULL, (size_t)(n * page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return -1;
  madvise(at, (size_t)(n * page), MADV_NOHUGEPAGE);
  const int64_t began = now_ns();
  for (int64_t i = 0; i < n; ++i) at[i * page] = 1;
  return now_ns() - began;
}

/* Two threads take turns: each waits until the word is its own number. */
struct turns {
  _Alignas(128) atomic_uint word;
  int64_t n;
  int cpu;
  int asleep; /* waits in the futex, not in a loop */
};

static void take_turns(struct turns *t, unsigned mine) {
  for (int64_t i = 0; i < t->n; ++i) {
    unsigned seen;
    while ((seen = atomic_load(&t->word)) != mine)
      if (t->asleep) syscall(SYS_futex, &t->word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
    atomic_store(&t->word, 1 - mine);
    if (t->asleep) syscall(SYS_futex, &t->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
  }
}

static void *second(void *t) {
  pin_to(((struct turns *)t)->cpu);
  take_turns(t, 1);
  return NULL;
}

static int64_t in_turns(int64_t n, int cpu, int asleep) {
  static struct turns t;
  t.n = n;
  t.cpu = cpu;
  t.asleep = asleep;
  pthread_t thread;
  pin_to(0);
  if (pthread_create(&thread, NULL, second, &t) != 0) return -1;
  usleep(1000);
  const int64_t began = now_ns();
  take_turns(&t, 0);
  pthread_join(thread, NULL);
  return now_ns() - began;
}

static int64_t cache_line(int64_t n, int p) { return in_turns(n, p - 1, 0); }
static int64_t futex(int64_t n, int p) { return in_turns(n, p - 1, 1); }

struct floor {
  const char *name, *what, *op;
  int64_t n;
  int64_t (*run)(int64_t n, int p);
};

static const struct floor floors[] = {
#ifdef HAVE_SWITCH
    {"switch", "switch from one stack to another", "switch", 50000000, switches},
#endif
    {"atomic", "atomic add to a word that nobody else uses", "add", 50000000, atomics},
    {"cacheline", "a cache line to another core and back", "round trip", 1000000, cache_line},
    {"clock", "read the clock", "read", 5000000, clocks},
    {"futex", "wake another thread and wait for it, on P cores", "round trip", 50000, futex},
    {"pagefault", "first touch of a page", "fault", 50000, page_faults},
    {"syscall", "a system call that does nothing", "call", 2000000, system_calls},
};
enum { count = sizeof floors / sizeof floors[0] };

static int usage(FILE *out) {
  fprintf(out, "usage: floors WORKLOAD [-p P] [-n N]\n");
  for (int i = 0; i < count; ++i) fprintf(out, "  %-14s %s\n", floors[i].name, floors[i].what);
  return out == stdout ? 0 : 2;
}

int main(int argc, char **argv) {
  if (argc < 2) return usage(stderr);
  if (strcmp(argv[1], "--help") == 0) return usage(stdout);
  const struct floor *f = NULL;
  for (int i = 0; i < count; ++i)
    if (strcmp(floors[i].name, argv[1]) == 0) f = &floors[i];
  int64_t n = 0;
  int p = 1;
  for (int i = 2; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "-p") == 0) p = atoi(argv[i + 1]);
    else if (strcmp(argv[i], "-n") == 0) n = atoll(argv[i + 1]);
    else f = NULL;
  }
  if (!f || p < 1 || argc % 2 != 0) return usage(stderr);
  if (n <= 0) n = f->n;
  sched_getaffinity(0, sizeof may, &may);
  const int64_t ns = f->run(n, p);
  if (ns < 0) {
    perror(f->name);
    return 1;
  }
  printf("{\"name\":\"%s\",\"rival\":\"floors\",\"p\":%d,\"op\":\"%s\",\"ops\":%lld,\"ns_per_op\":%.3f,\"ms\":%.3f}\n", f->name, p,
         f->op, (long long)n, (double)ns / (double)n, (double)ns / 1e6);
  return 0;
}
