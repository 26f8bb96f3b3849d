/* Frames, read once: everybody is sent the same bytes, so the payload is compared with those read last, and only a new
 * one is taken apart. Every byte is compared, so what is said of one viewer's frame is true of the other's. */
#include "audience.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 8, MARK_PREFIX = 6, NUMBER = 6, DUE = 16, ID_BACK = 4096 };

struct known {
  struct news news;
  char *payload;
  size_t length, room;
};
static struct known known[KEPT];
static int newest;
static char changed_head[96], reset_head[96], mark_prefix[16];
static const char MESSAGE[] = "{\"k\":\"message\",\"id\":";
static const char PEER_MARK[] = "\"ts\":";

void news_setup(void) {
  snprintf(changed_head, sizeof changed_head, "42%s,[\"view:changed\",{\"after\":", words.namespace_);
  snprintf(reset_head, sizeof reset_head, "42%s,[\"view:reset\",{\"epoch\":", words.namespace_);
  snprintf(mark_prefix, sizeof mark_prefix, "~%s.", words.run);
}

static bool starts(const char *payload, size_t length, const char *head) {
  size_t wanted = strlen(head);
  return length >= wanted && !memcmp(payload, head, wanted);
}

/* The number that begins at `at`; 0 if none does. */
static int64_t number_at(const char *at, const char *end) {
  int64_t value = 0;
  while (at < end && *at >= '0' && *at <= '9') value = value * 10 + (*at++ - '0');
  return value;
}

/* The number that follows the first `key` in the payload. */
static int64_t number_of(const char *payload, size_t length, const char *key) {
  const char *found = memmem(payload, length, key, strlen(key));
  return found ? number_at(found + strlen(key), payload + length) : -1;
}

/* Letters a to p are four bits each (loadtests/marks.py). */
static uint64_t letters(const char *at, int width) {
  uint64_t value = 0;
  for (int i = 0; i < width; i++) value = value << 4 | (uint64_t)((at[i] - 'a') & 15);
  return value;
}

/* The id of the message whose text holds `mark`: it stands before the text. */
static int64_t id_before(const char *payload, const char *mark) {
  const char *least = mark - payload > ID_BACK ? mark - ID_BACK : payload;
  for (const char *at = mark - (sizeof MESSAGE - 1); at >= least; at--)
    if (!memcmp(at, MESSAGE, sizeof MESSAGE - 1)) return number_at(at + sizeof MESSAGE - 1, mark);
  return -1;
}

static void add_mark(struct news *news, struct mark mark) {
  if (news->count == news->capacity) {
    news->capacity = news->capacity ? 2 * news->capacity : 64;
    news->marks = realloc(news->marks, news->capacity * sizeof *news->marks);
    if (!news->marks) die("out of memory");
  }
  if (news->count && mark.id <= news->marks[news->count - 1].id) news->ordered = false;
  news->marks[news->count++] = mark;
  news->sum += mixed(mark.number);
}

static void find_marks(struct news *news, const char *payload, size_t length) {
  const char *at = payload, *end = payload + length;
  while ((at = memmem(at, end - at, mark_prefix, MARK_PREFIX))) {
    if (end - at < MARK_PREFIX + NUMBER + 1 + DUE) return;
    struct mark mark = {.id = id_before(payload, at),
                        .number = (uint32_t)letters(at + MARK_PREFIX, NUMBER),
                        .due_ns = letters(at + MARK_PREFIX + NUMBER + 1, DUE)};
    add_mark(news, mark);
    at += MARK_PREFIX + NUMBER + 1 + DUE;
  }
}

/* Peers' messages say in decimal when they were due; that is their id too, since it grows. */
static void find_peer_marks(struct news *news, const char *payload, size_t length) {
  const char *at = payload, *end = payload + length;
  while ((at = memmem(at, end - at, PEER_MARK, sizeof PEER_MARK - 1))) {
    at += sizeof PEER_MARK - 1;
    int64_t due = number_at(at, end);
    add_mark(news, (struct mark){.id = due, .number = 0, .due_ns = (uint64_t)due});
  }
  news->kind = news->count ? NEWS_MESSAGE : NEWS_OTHER;
}

static void parse(struct news *news, const char *payload, size_t length) {
  news->kind = NEWS_OTHER;
  news->after = news->seq = 0;
  news->count = 0;
  news->sum = 0;
  news->ordered = true;
  if (words.mode != MODE_HALL) {
    find_peer_marks(news, payload, length);
  } else if (starts(payload, length, changed_head)) {
    news->kind = NEWS_CHANGED;
    news->after = number_at(payload + strlen(changed_head), payload + length);
    news->seq = number_of(payload, length, "\"seq\":");
    find_marks(news, payload, length);
  } else if (starts(payload, length, reset_head)) {
    news->kind = NEWS_RESET;
    news->seq = number_of(payload, length, "\"seq\":");
  }
}

static void remember(struct known *one, const char *payload, size_t length) {
  if (one->room < length) {
    one->payload = realloc(one->payload, length);
    if (!one->payload) die("out of memory");
    one->room = length;
  }
  memcpy(one->payload, payload, length);
  one->length = length;
}

const struct news *news_read(const char *payload, size_t length) {
  for (int i = 0; i < KEPT; i++) {
    const struct known *one = &known[(newest + i) % KEPT];
    if (one->length == length && length && !memcmp(one->payload, payload, length)) return &one->news;
  }
  newest = (newest + KEPT - 1) % KEPT;
  struct known *one = &known[newest];
  parse(&one->news, payload, length);
  remember(one, payload, length);
  return &one->news;
}
