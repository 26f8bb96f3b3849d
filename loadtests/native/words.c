/* What the command line says: KEY=VALUE, as in loadtests/audience/words.py. */
#include "audience.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct words words = {.path = "/socket.io/?EIO=4&transport=websocket", .namespace_ = "/audience", .mode = MODE_HALL};
static char **tickets;
static int ticket_count;

void die(const char *sentence) {
  fprintf(stderr, "audience: %s\n", sentence);
  exit(2);
}

static void put(char *into, size_t size, const char *value) {
  if (strlen(value) >= size) die("a word is too long");
  strcpy(into, value);
}

static void put_mode(const char *value) {
  if (!strcmp(value, "hall")) words.mode = MODE_HALL;
  else if (!strcmp(value, "plain")) words.mode = MODE_PLAIN;
  else if (!strcmp(value, "socketio")) words.mode = MODE_SOCKETIO;
  else die("mode: hall, plain or socketio");
}

static void take(const char *key, const char *value) {
  if (!strcmp(key, "host")) put(words.host, sizeof words.host, value);
  else if (!strcmp(key, "name")) put(words.name, sizeof words.name, value);
  else if (!strcmp(key, "path")) put(words.path, sizeof words.path, value);
  else if (!strcmp(key, "namespace")) put(words.namespace_, sizeof words.namespace_, value);
  else if (!strcmp(key, "code")) put(words.code, sizeof words.code, value);
  else if (!strcmp(key, "run")) put(words.run, sizeof words.run, value);
  else if (!strcmp(key, "tickets")) put(words.tickets, sizeof words.tickets, value);
  else if (!strcmp(key, "port")) words.port = atoi(value);
  else if (!strcmp(key, "viewers")) words.viewers = atoi(value);
  else if (!strcmp(key, "stall")) words.stall = atoi(value);
  else if (!strcmp(key, "rate")) words.rate = atof(value);
  else if (!strcmp(key, "mode")) put_mode(value);
  else if (!strcmp(key, "tls") || !strcmp(key, "deflate")) {
    if (atoi(value)) die("the C audience knows neither TLS nor compression: take the Python one");
  } else die("unknown word");
}

static void read_tickets(void) {
  FILE *file = fopen(words.tickets, "r");
  if (!file) die("the file of tickets cannot be read");
  char line[512];
  int room = 0;
  while (fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = 0;
    if (!*line) continue;
    if (ticket_count == room) tickets = realloc(tickets, (room = room ? 2 * room : 1024) * sizeof *tickets);
    tickets[ticket_count++] = strdup(line);
  }
  fclose(file);
  if (!ticket_count) die("there are no tickets");
}

void words_parse(int count, char **given) {
  for (int i = 0; i < count; i++) {
    char *value = strchr(given[i], '=');
    if (!value) die("words are KEY=VALUE");
    *value++ = 0;
    take(given[i], value);
  }
  if (!*words.host || !words.port || words.viewers < 1 || words.rate <= 0) die("host, port, viewers and rate are needed");
  if (!*words.name) snprintf(words.name, sizeof words.name, "%s:%d", words.host, words.port);
  if (words.mode == MODE_HALL) {
    if (strlen(words.run) != 4) die("run: four letters");
    read_tickets();
  }
}

const char *words_ticket(int viewer) { return tickets[viewer % ticket_count]; }
