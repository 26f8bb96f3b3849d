/* The floor: one send() of one ready frame to each of N WebSocket connections, and nothing else. PORT from the environment.
 * It obeys the line "P RATE COUNT BATCH": COUNT messages at RATE a second, BATCH of them in each frame; then says "DONE". */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 65536, FRAME_BYTES = 65536, BACKLOG = 4096 };
static const char TEXT[] = "이번 인사이동 기준이 부서마다 다르게 적용되는 것 같은데 도지사님 생각을 듣고 싶습니다. 그리고 구내식당 메뉴도 조금 "
                           "개선되면 좋겠습니다 부탁드립니다";
static const char UPGRADED[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
static int epoll_fd, connections[CONNECTIONS], connection_count, place[CONNECTIONS];
static struct {
  double rate;
  long count, sent;
  int batch;
  uint64_t began;
} order = {.rate = 1, .batch = 1};

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

static void watch(int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int listening(void) {
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in here = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(getenv("PORT"))), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(fd, (void *)&here, sizeof here) || listen(fd, BACKLOG)) {
    perror("bind");
    exit(1);
  }
  return fd;
}

static void take_all(int listener) {
  int fd, one = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch(fd);
  }
}

static void forget(int fd) {
  if (place[fd]) {
    int at = place[fd] - 1;
    connections[at] = connections[--connection_count];
    place[connections[at]] = at + 1;
    place[fd] = 0;
  }
  close(fd);
}

static void hear_client(int fd) {
  char data[4096];
  ssize_t got = read(fd, data, sizeof data);
  if (got <= 0) {
    forget(fd);
    return;
  }
  if (got < 4 || memcmp(data, "GET ", 4)) return;
  if (write(fd, UPGRADED, sizeof UPGRADED - 1) < 0) perror("write");
  connections[connection_count++] = fd;
  place[fd] = connection_count;
}

static void hear_order(void) {
  char line[256];
  ssize_t got = read(0, line, sizeof line - 1);
  if (got <= 0) exit(0);
  line[got] = 0;
  if (sscanf(line, "P %lf %ld %d", &order.rate, &order.count, &order.batch) == 3) {
    order.sent = 0;
    order.began = now_ns();
  }
}

/* Until the next message is due, in ms. */
static int wait_ms(void) {
  if (order.sent >= order.count) return 1000;
  double wait = (double)order.sent / order.rate * 1e3 - (double)(now_ns() - order.began) / 1e6;
  return wait <= 0 ? 0 : (int)wait;
}

/* `ts` is when a message was due, so that being late shows as latency. */
static int make_body(char *body) {
  int length = 0;
  for (int i = 0; i < order.batch && order.sent < order.count; i++, order.sent++) {
    uint64_t due = order.began + (uint64_t)((double)order.sent / order.rate * 1e9);
    length += sprintf(body + length, "%s{\"id\":\"%020ld\",\"room\":\"demo\",\"nick\":\"익명-0421\",\"text\":\"%s\",\"ts\":%" PRIu64 "}",
                      i ? "," : "", order.sent, TEXT, due);
  }
  return length;
}

static void send_all(void) {
  static char body[FRAME_BYTES], frame[FRAME_BYTES + 4];
  int length = make_body(body);
  frame[0] = (char)0x81;
  frame[1] = 126; /* no message here is shorter than 126 bytes */
  frame[2] = (char)(length >> 8);
  frame[3] = (char)length;
  memcpy(frame + 4, body, (size_t)length);
  for (int i = 0; i < connection_count; i++)
    if (send(connections[i], frame, (size_t)length + 4, 0) < 0) fprintf(stderr, "lost: %s\n", strerror(errno));
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  epoll_fd = epoll_create1(0);
  int listener = listening();
  watch(listener);
  watch(0);
  puts("UP");
  fflush(stdout);
  for (;;) {
    struct epoll_event events[256];
    int count = epoll_wait(epoll_fd, events, 256, wait_ms());
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) take_all(fd);
      else if (fd == 0) hear_order();
      else hear_client(fd);
    }
    if (order.sent >= order.count || (double)(now_ns() - order.began) / 1e9 * order.rate < (double)order.sent) continue;
    send_all();
    if (order.sent >= order.count) {
      printf("DONE %ld\n", order.count);
      fflush(stdout);
    }
  }
}
