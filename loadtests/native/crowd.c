/* The crowd: begins connections at the rate that was asked for, counts, and obeys lines on its input. */
#include "audience.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 1024, TICK_MS = 250 };
struct viewer *viewers;
int epoll_fd, live, dead, waiting;
int64_t hall_epoch;
struct counted tick, window;
struct histogram tick_joins, all_joins;
static uint64_t began_ns, wanted, wanted_until_ns;

uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

static double seconds(void) { return (double)(now_ns() - began_ns) / 1e9; }

void crowd_joined(struct viewer *viewer) {
  live++;
  histogram_add(&tick_joins, (double)(now_ns() - viewer->due_ns) / 1e6);
}

void crowd_delivered(const struct news *news) {
  uint64_t now = now_ns();
  tick.messages += (uint64_t)news->count;
  for (int i = 0; i < news->count; i++)
    histogram_add(&tick.latency, now > news->marks[i].due_ns ? (double)(now - news->marks[i].due_ns) / 1e6 : 0);
}

void crowd_closed(const char *code, size_t length) { report_closing(code, length); }

static void fold_tick(void) {
  window.messages += tick.messages;
  window.frames += tick.frames;
  window.bytes += tick.bytes;
  window.pings += tick.pings;
  histogram_merge(&window.latency, &tick.latency);
  histogram_merge(&all_joins, &tick_joins);
  memset(&tick, 0, sizeof tick);
  memset(&tick_joins, 0, sizeof tick_joins);
}

static void obey(const char *line) {
  unsigned long messages;
  double within;
  if (!strcmp(line, "window")) {
    fold_tick();
    memset(&window, 0, sizeof window);
    for (int i = 0; i < words.viewers; i++) viewers[i].track.window = 0;
    report_window();
  } else if (sscanf(line, "count %lu %lf", &messages, &within) == 2) {
    wanted = messages;
    wanted_until_ns = now_ns() + (uint64_t)(within * 1e9);
  } else if (sscanf(line, "cut %lf", &within) == 1) {
    for (int i = words.stall; i < words.viewers; i++)
      if (viewers[i].state == LIVE) viewer_cut(&viewers[i], within);
  } else if (!strcmp(line, "report")) {
    report_viewers();
  }
}

/* False once the driver has closed the pipe. */
static bool hear(void) {
  static char rest[4096];
  static size_t length;
  ssize_t got = read(0, rest + length, sizeof rest - length - 1);
  if (got <= 0) return false;
  length += (size_t)got;
  rest[length] = 0;
  char *line = rest, *end;
  while ((end = strchr(line, '\n'))) {
    *end = 0;
    obey(line);
    line = end + 1;
  }
  length = strlen(line);
  memmove(rest, line, length);
  return true;
}

/* Those whose time has come: at first by rate, later because the server named a time. */
static void begin_due(int *begun) {
  double due = seconds() * words.rate + 1;
  int wanted_now = due > words.viewers ? words.viewers : (int)due;
  while (*begun < wanted_now) {
    uint64_t due_ns = began_ns + (uint64_t)((double)*begun / words.rate * 1e9);
    viewer_begin(&viewers[(*begun)++], due_ns);
  }
  uint64_t now = now_ns();
  for (int i = 0; waiting && i < *begun; i++) {
    if (viewers[i].state != WAITING || viewers[i].again_ns > now) continue;
    waiting--;
    viewer_begin(&viewers[i], viewers[i].due_ns);
  }
}

static bool turn(int *begun) {
  struct epoll_event events[EVENTS];
  bool open = true;
  begin_due(begun);
  int count = epoll_wait(epoll_fd, events, EVENTS, *begun < words.viewers ? 1 : 5);
  for (int i = 0; i < count; i++) {
    if (events[i].data.ptr) viewer_event(events[i].data.ptr);
    else open = hear();
  }
  return open;
}

static void run(void) {
  int begun = 0;
  bool said_joined = false;
  uint64_t next_tick = began_ns + TICK_MS * 1000000ull;
  while (turn(&begun)) {
    if (now_ns() >= next_tick) {
      next_tick += TICK_MS * 1000000ull;
      report_tick(seconds());
      fold_tick();
    }
    if (!said_joined && live + dead >= words.viewers) {
      said_joined = true;
      report_joined(seconds());
    }
    if (wanted_until_ns && (window.messages + tick.messages >= wanted || now_ns() > wanted_until_ns)) {
      wanted_until_ns = 0;
      report_tick(seconds()); /* so that ticks and windows tell of the same messages */
      fold_tick();
      report_counted();
    }
  }
}

int main(int count, char **given) {
  struct rlimit files;
  signal(SIGPIPE, SIG_IGN);
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  words_parse(count - 1, given + 1);
  news_setup();
  viewers = calloc((size_t)words.viewers, sizeof *viewers);
  if (!viewers) die("out of memory");
  for (int i = 0; i < words.viewers; i++) {
    viewers[i].fd = -1;
    track_begin(&viewers[i].track);
  }
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, 0, &input);
  began_ns = now_ns();
  run();
  return 0;
}
