/* The lines that it says: loadtests/audience/lines.py has their types. */
#include "audience.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { CODES = 64 };
static struct {
  char code[40];
  int count;
} closings[CODES];
static double cpu_before;

static double cpu_s(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

void report_closing(const char *code, size_t length) {
  char name[40] = "";
  memcpy(name, code, length < sizeof name ? length : sizeof name - 1);
  for (int i = 0; i < CODES; i++) {
    if (*closings[i].code && strcmp(closings[i].code, name)) continue;
    strcpy(closings[i].code, name);
    closings[i].count++;
    return;
  }
}

void report_tick(double seconds) {
  printf("{\"k\":\"tick\",\"s\":%.3f,\"live\":%d,\"dead\":%d,\"messages\":%" PRIu64 ",\"frames\":%" PRIu64 ",\"bytes\":%" PRIu64
         ",\"latency\":",
         seconds, live, dead, tick.messages, tick.frames, tick.bytes);
  histogram_print(&tick.latency);
  printf(",\"joins\":");
  histogram_print(&tick_joins);
  puts("}");
  fflush(stdout);
}

void report_joined(double seconds) {
  printf("{\"k\":\"joined\",\"live\":%d,\"dead\":%d,\"s\":%.3f}\n", live, dead, seconds);
  fflush(stdout);
}

void report_window(void) {
  cpu_before = cpu_s();
  puts("{\"k\":\"window\"}");
  fflush(stdout);
}

void report_counted(void) {
  uint32_t least = UINT32_MAX, most = 0, disorders = 0;
  for (int i = words.stall; i < words.viewers; i++) {
    if (viewers[i].state != LIVE) continue;
    if (viewers[i].track.window < least) least = viewers[i].track.window;
    if (viewers[i].track.window > most) most = viewers[i].track.window;
    disorders += viewers[i].track.disorders;
  }
  printf("{\"k\":\"counted\",\"live\":%d,\"dead\":%d,\"messages\":%" PRIu64 ",\"frames\":%" PRIu64 ",\"bytes\":%" PRIu64
         ",\"pings\":%" PRIu64 ",\"least\":%u,\"most\":%u,\"disorders\":%u,\"cpu_s\":%.4f,\"latency\":",
         live, dead, window.messages, window.frames, window.bytes, window.pings, most ? least : 0, most, disorders,
         cpu_s() - cpu_before);
  histogram_print(&window.latency);
  puts("}");
  fflush(stdout);
}

void report_viewers(void) {
  const char *between = "";
  uint64_t holes = 0, doubles = 0, disorders = 0, resets = 0;
  printf("{\"k\":\"report\",\"rows\":[");
  for (int i = 0; i < words.viewers; i++) {
    const struct track *track = &viewers[i].track;
    holes += track->holes, doubles += track->doubles, disorders += track->disorders, resets += track->resets;
    if (i < words.stall || viewers[i].state != LIVE) continue;
    printf("%s[%" PRId64 ",%" PRId64 ",%u,%" PRIu64 "]", between, track->start, track->position, track->count, track->sum);
    between = ",";
  }
  printf("],\"holes\":%" PRIu64 ",\"doubles\":%" PRIu64 ",\"disorders\":%" PRIu64 ",\"resets\":%" PRIu64 ",\"joins\":", holes,
         doubles, disorders, resets);
  histogram_print(&all_joins);
  printf(",\"closings\":{");
  for (int i = 0; i < CODES && *closings[i].code; i++)
    printf("%s\"%s\":%d", i ? "," : "", closings[i].code, closings[i].count);
  puts("}}");
  fflush(stdout);
}
