/* The audience in C: what its files share. The same words, lines and checks as the Python one (loadtests/audience). */
#ifndef AUDIENCE_H
#define AUDIENCE_H

#define _GNU_SOURCE
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who is on the other side: the product's hall, or a peer of the bench that is told apart by its protocol alone. */
enum mode { MODE_HALL, MODE_PLAIN, MODE_SOCKETIO };

/* words.c: what the command line says. */
struct words {
  char host[64], name[280], path[256], namespace_[32], code[16], run[8], tickets[512];
  int port, viewers, stall;
  double rate;
  enum mode mode;
};
extern struct words words;
void words_parse(int count, char **given);
const char *words_ticket(int viewer);

/* histogram.c: loadtests/histogram.py has the same figures. */
enum { BUCKETS = 800 };
struct histogram {
  uint64_t counts[BUCKETS], total;
};
void histogram_add(struct histogram *histogram, double ms);
void histogram_merge(struct histogram *into, const struct histogram *from);
void histogram_print(const struct histogram *histogram);

/* news.c: a frame, read once for all who are sent it. */
enum kind { NEWS_OTHER, NEWS_RESET, NEWS_CHANGED, NEWS_MESSAGE };
struct mark {
  int64_t id;
  uint32_t number;
  uint64_t due_ns;
};
struct news {
  enum kind kind;
  int64_t after, seq;
  int count;
  int capacity;
  struct mark *marks;
  bool ordered;
  uint64_t sum;
};
void news_setup(void);
const struct news *news_read(const char *payload, size_t length);

/* track.c: where a viewer stands, and what went wrong; loadtests/checker.py says the rules. */
struct track {
  int64_t position, start, last;
  uint64_t sum;
  uint32_t count, holes, doubles, disorders, resets, window;
};
void track_begin(struct track *track);
void track_take(struct track *track, const struct news *news);
uint64_t mixed(uint64_t number);

/* viewer.c: one connection. */
enum state { IDLE, CONNECTING, UPGRADING, JOINING, LIVE, WAITING, DEAD };
struct viewer {
  int fd, attempts;
  enum state state;
  char *rest; /* the beginning of a frame whose end has not come yet; NULL while there is none, which is nearly always */
  size_t rest_length;
  uint64_t due_ns, again_ns;
  int64_t again_ms; /* what the server said; -1: not to come back */
  struct track track;
};
void viewer_begin(struct viewer *viewer, uint64_t due_ns);
void viewer_event(struct viewer *viewer);
void viewer_lost(struct viewer *viewer, const char *why);
void viewer_cut(struct viewer *viewer, double seconds);

/* crowd.c: all of them, and what was counted. */
struct counted {
  uint64_t messages, frames, bytes, pings;
  struct histogram latency;
};
extern struct viewer *viewers;
extern int epoll_fd, live, dead, waiting;
extern int64_t hall_epoch;
extern struct counted tick, window;
extern struct histogram tick_joins, all_joins;
uint64_t now_ns(void);
void crowd_joined(struct viewer *viewer);
void crowd_delivered(const struct news *news);
void crowd_closed(const char *code, size_t length);

/* report.c: the lines that it says. */
void report_tick(double seconds);
void report_joined(double seconds);
void report_window(void);
void report_counted(void);
void report_viewers(void);
void report_closing(const char *code, size_t length);

void die(const char *sentence);

#endif
