/* One connection: comes in, takes frames apart, answers heartbeats, comes back where it is told to. */
#include "audience.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ATTEMPTS = 12, PER_ADDRESS = 5000, READ_BYTES = 1 << 18, STALLED_RECEIVE_BYTES = 4096, HEAD_BYTES = 8192 };
static char buffer[READ_BYTES];

static int number_of(const struct viewer *viewer) { return (int)(viewer - viewers); }

/* A masked frame with a key of zeros: there is no proxy here to protect (RFC 6455, 10.3). */
static void send_frame(struct viewer *viewer, int first, const void *payload, size_t length) {
  unsigned char frame[1200];
  size_t head = 2;
  if (length > 1000) die("a frame is too long");
  frame[0] = (unsigned char)first;
  frame[1] = (unsigned char)(0x80 | length);
  if (length > 125) {
    frame[1] = 0x80 | 126;
    frame[2] = (unsigned char)(length >> 8);
    frame[3] = (unsigned char)length;
    head = 4;
  }
  memset(frame + head, 0, 4);
  memcpy(frame + head + 4, payload, length);
  if (send(viewer->fd, frame, head + 4 + length, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET) perror("send");
}

static void say(struct viewer *viewer, const char *text) { send_frame(viewer, 0x81, text, strlen(text)); }

void viewer_lost(struct viewer *viewer, const char *why) {
  if (viewer->state == DEAD || viewer->state == WAITING) return;
  if (why) crowd_closed(why, strlen(why));
  if (viewer->state == LIVE) {
    live--;
    viewer->due_ns = now_ns();
  }
  if (viewer->fd >= 0) close(viewer->fd);
  free(viewer->rest);
  viewer->fd = -1;
  viewer->rest = NULL;
  viewer->rest_length = 0;
  if (viewer->again_ms < 0 || viewer->attempts >= ATTEMPTS || number_of(viewer) < words.stall) {
    viewer->state = DEAD;
    dead++;
    return;
  }
  viewer->state = WAITING;
  waiting++;
  viewer->again_ns = now_ns() + (uint64_t)((double)viewer->again_ms * 1e6 * (1 + 0.2 * rand() / RAND_MAX));
}

/* Loses its connection, and comes back at a time drawn over `seconds`; how long that takes is counted from then on. */
void viewer_cut(struct viewer *viewer, double seconds) {
  viewer->again_ms = 0;
  viewer_lost(viewer, NULL);
  if (viewer->state != WAITING) return;
  viewer->again_ns = now_ns() + (uint64_t)(seconds * 1e9 * rand() / RAND_MAX);
  viewer->due_ns = viewer->again_ns;
}

void viewer_begin(struct viewer *viewer, uint64_t due_ns) {
  int one = 1, small = STALLED_RECEIVE_BYTES, number = number_of(viewer);
  viewer->due_ns = due_ns;
  viewer->again_ms = -1;
  viewer->attempts++;
  viewer->state = CONNECTING;
  viewer->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (viewer->fd < 0) {
    viewer_lost(viewer, "OSError");
    return;
  }
  setsockopt(viewer->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (number < words.stall) setsockopt(viewer->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  if (!strncmp(words.host, "127.", 4)) {
    /* One address has too few ports for a crowd; the port is chosen at connect, when the other end is known. */
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002u + (uint32_t)(number / PER_ADDRESS))};
    setsockopt(viewer->fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &one, sizeof one);
    if (bind(viewer->fd, (void *)&here, sizeof here)) perror("bind");
  }
  struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons((uint16_t)words.port)};
  if (inet_pton(AF_INET, words.host, &there.sin_addr) != 1) die("host: an IPv4 address");
  if (connect(viewer->fd, (void *)&there, sizeof there) && errno != EINPROGRESS) {
    viewer_lost(viewer, "OSError");
    return;
  }
  struct epoll_event event = {.events = EPOLLOUT, .data.ptr = viewer};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, viewer->fd, &event);
}

static void connected(struct viewer *viewer) {
  int error = 0;
  socklen_t size = sizeof error;
  char request[900];
  getsockopt(viewer->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) {
    viewer_lost(viewer, "ConnectionRefusedError");
    return;
  }
  int length = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                        words.path, words.name);
  if (write(viewer->fd, request, (size_t)length) != length) {
    viewer_lost(viewer, "OSError");
    return;
  }
  viewer->state = UPGRADING;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = viewer};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, viewer->fd, &event);
}

static void joined(struct viewer *viewer) {
  viewer->state = LIVE;
  crowd_joined(viewer);
  if (number_of(viewer) < words.stall) epoll_ctl(epoll_fd, EPOLL_CTL_DEL, viewer->fd, NULL);
}

/* The answer to Engine.IO's open packet. */
static void ask_in(struct viewer *viewer) {
  char text[1000];
  if (words.mode == MODE_SOCKETIO) {
    say(viewer, "40");
    return;
  }
  int length = snprintf(text, sizeof text, "40%s,{\"code\":\"%s\",\"token\":\"%s\"", words.namespace_, words.code,
                        words_ticket(number_of(viewer)));
  if (viewer->track.position >= 0)
    length += snprintf(text + length, sizeof text - length, ",\"since\":{\"epoch\":%lld,\"seq\":%lld}", (long long)hall_epoch,
                       (long long)viewer->track.position);
  snprintf(text + length, sizeof text - length, "}");
  say(viewer, text);
}

static bool has(const char *payload, size_t length, const char *word) { return memmem(payload, length, word, strlen(word)); }

static int64_t value_of(const char *payload, size_t length, const char *key) {
  const char *found = memmem(payload, length, key, strlen(key));
  return found && found[strlen(key)] >= '0' && found[strlen(key)] <= '9' ? atoll(found + strlen(key)) : -1;
}

/* A Bye or a refusal: the code it names is counted, and when to come back is kept. */
static void told_to_go(struct viewer *viewer, const char *payload, size_t length) {
  const char *code = memmem(payload, length, "\"code\":", 7), *end = payload + length;
  if (code) {
    code += code[7] == '"' ? 8 : 7;
    size_t size = 0;
    while (code + size < end && (code[size] == '_' || isalnum((unsigned char)code[size]))) size++;
    crowd_closed(code, size);
  }
  viewer->again_ms = value_of(payload, length, "\"come_back_after_ms\":");
}

/* What is said to this viewer alone. Bounded and copied, so that it ends with a zero. */
static void control(struct viewer *viewer, const char *payload, size_t length) {
  char text[4096];
  if (length >= sizeof text) return;
  memcpy(text, payload, length);
  text[length] = 0;
  if (text[0] == '0' && text[1] == '{') {
    ask_in(viewer);
  } else if (words.mode == MODE_SOCKETIO && !strncmp(text, "40", 2) && viewer->state == JOINING) {
    joined(viewer);
  } else if (words.mode == MODE_HALL && has(text, length, "[\"hall:joined\"")) {
    hall_epoch = value_of(text, length, "\"epoch\":");
    bool resumed = has(text, length, "\"resumed\":true");
    if (resumed && viewer->track.position == value_of(text, length, "\"seq\":") && viewer->state == JOINING) joined(viewer);
  } else if (words.mode == MODE_HALL && has(text, length, "[\"bye\"")) {
    told_to_go(viewer, text, length);
  } else if (!strncmp(text, "44", 2)) {
    told_to_go(viewer, text, length);
    viewer_lost(viewer, NULL);
  }
}

static void text_frame(struct viewer *viewer, const char *payload, size_t length) {
  if (length == 1 && *payload == '2') {
    tick.pings++;
    say(viewer, "3");
    return;
  }
  const struct news *news = news_read(payload, length);
  if (news->kind == NEWS_OTHER) {
    control(viewer, payload, length);
    return;
  }
  tick.frames += news->kind != NEWS_RESET && (news->seq != news->after || !news->seq);
  track_take(&viewer->track, news);
  if (viewer->state == JOINING) joined(viewer);
  else if (news->count) crowd_delivered(news);
}

static void frame(struct viewer *viewer, int opcode, const char *payload, size_t length) {
  if (opcode == 1 || opcode == 2) text_frame(viewer, payload, length);
  else if (opcode == 8) viewer_lost(viewer, NULL);
  else if (opcode == 9 && length <= 125) {
    tick.pings++;
    send_frame(viewer, 0x8a, payload, length);
  }
}

/* Takes whole frames off `data`; how much is left over. Server frames are unmasked and unfragmented. */
static size_t frames(struct viewer *viewer, const char *data, size_t length) {
  size_t at = 0;
  while (length - at >= 2 && (viewer->state == LIVE || viewer->state == JOINING)) {
    const unsigned char *head = (const unsigned char *)data + at;
    size_t size = head[1] & 127, extra = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (length - at < 2 + extra) break;
    if (extra) {
      size = 0;
      for (size_t i = 0; i < extra; i++) size = size << 8 | head[2 + i];
    }
    if (length - at < 2 + extra + size) break;
    frame(viewer, head[0] & 15, data + at + 2 + extra, size);
    at += 2 + extra + size;
  }
  return length - at;
}

static void keep(struct viewer *viewer, const char *data, size_t length) {
  if (!length || viewer->fd < 0) {
    free(viewer->rest);
    viewer->rest = NULL;
  } else if (data != viewer->rest) {
    char *kept = malloc(length);
    if (!kept) die("out of memory");
    memcpy(kept, data, length);
    free(viewer->rest);
    viewer->rest = kept;
  }
  viewer->rest_length = viewer->rest ? length : 0;
}

/* The answer to the upgrade: how many bytes of it are used up, 0 while it is not whole. */
static size_t upgraded(struct viewer *viewer, const char *data, size_t length) {
  const char *end = memmem(data, length, "\r\n\r\n", 4);
  if (!end) {
    if (length > HEAD_BYTES) viewer_lost(viewer, "no answer");
    return 0;
  }
  if (length < 12 || strncmp(data, "HTTP/1.1 101", 12)) {
    char why[16] = "http ???";
    if (length >= 12) memcpy(why + 5, data + 9, 3);
    if (!strncmp(why + 5, "503", 3) || !strncmp(why + 5, "429", 3)) viewer->again_ms = 1000;
    viewer_lost(viewer, why);
    return 0;
  }
  viewer->state = JOINING;
  if (words.mode == MODE_PLAIN) joined(viewer);
  return (size_t)(end - data) + 4;
}

static void readable(struct viewer *viewer) {
  ssize_t got = read(viewer->fd, buffer, sizeof buffer);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    viewer_lost(viewer, got < 0 ? "ConnectionResetError" : NULL);
    return;
  }
  tick.bytes += (uint64_t)got;
  char *data = buffer, *joint = NULL;
  size_t length = (size_t)got, used = 0;
  if (viewer->rest) {
    joint = malloc(viewer->rest_length + length);
    if (!joint) die("out of memory");
    memcpy(joint, viewer->rest, viewer->rest_length);
    memcpy(joint + viewer->rest_length, buffer, length);
    length += viewer->rest_length;
    data = joint;
  }
  if (viewer->state == UPGRADING) used = upgraded(viewer, data, length);
  size_t left = viewer->state == UPGRADING ? length : frames(viewer, data + used, length - used);
  keep(viewer, data + length - left, left);
  free(joint);
}

void viewer_event(struct viewer *viewer) {
  if (viewer->state == CONNECTING) connected(viewer);
  else if (viewer->fd >= 0) readable(viewer);
}
