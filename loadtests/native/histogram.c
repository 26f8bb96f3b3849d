/* Times in buckets that grow by 2 %, as in loadtests/histogram.py. */
#include "audience.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const double LEAST_MS = 0.1;
static const double GROWTH = 0.01980262729617973; /* log(1.02) */

void histogram_add(struct histogram *histogram, double ms) {
  int bucket = ms <= LEAST_MS ? 0 : (int)(log(ms / LEAST_MS) / GROWTH);
  histogram->counts[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
  histogram->total++;
}

void histogram_merge(struct histogram *into, const struct histogram *from) {
  if (!from->total) return;
  for (int i = 0; i < BUCKETS; i++) into->counts[i] += from->counts[i];
  into->total += from->total;
}

void histogram_print(const struct histogram *histogram) {
  const char *between = "";
  putchar('[');
  for (int i = 0; i < BUCKETS; i++) {
    if (!histogram->counts[i]) continue;
    printf("%s[%d,%" PRIu64 "]", between, i, histogram->counts[i]);
    between = ",";
  }
  putchar(']');
}
