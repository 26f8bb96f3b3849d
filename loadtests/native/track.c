/* What one viewer was sent, checked: the rules of loadtests/checker.py. */
#include "audience.h"

uint64_t mixed(uint64_t number) { /* splitmix64 */
  uint64_t value = (number + 1) * 0x9E3779B97F4A7C15ull;
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9ull;
  value = (value ^ value >> 27) * 0x94D049BB133111EBull;
  return value ^ value >> 31;
}

void track_begin(struct track *track) { *track = (struct track){.position = -1, .start = -1}; }

static void take_marks(struct track *track, const struct news *news) {
  if (!news->count) return;
  if (!news->ordered || news->marks[0].id <= track->last) track->disorders++;
  track->last = news->marks[news->count - 1].id;
  track->count += news->count;
  track->window += news->count;
  track->sum += news->sum;
}

void track_take(struct track *track, const struct news *news) {
  switch (news->kind) {
  case NEWS_RESET:
    if (track->position >= 0) track->resets++;
    track->position = track->start = news->seq;
    track->count = 0;
    track->sum = 0;
    track->last = 0;
    break;
  case NEWS_CHANGED:
    if (news->after > track->position) track->holes++;
    if (news->after < track->position) track->doubles++;
    track->position = news->seq;
    take_marks(track, news);
    break;
  case NEWS_MESSAGE:
    take_marks(track, news);
    break;
  case NEWS_OTHER:
    break;
  }
}
