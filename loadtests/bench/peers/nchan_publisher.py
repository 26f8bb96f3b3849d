"""Publishes to Nchan, which has no publisher of its own: each message of `P RATE COUNT BATCH` is a POST. PORT as for all."""

import os
import socket
import sys
import time

TEXT = (
    "이번 인사이동 기준이 부서마다 다르게 적용되는 것 같은데 도지사님 생각을 듣고 싶습니다. "
    "그리고 구내식당 메뉴도 조금 개선되면 좋겠습니다 부탁드립니다"
)


def publish(line: socket.socket, rate: float, count: int) -> None:
    """One message a POST, `ts` when it was due; the answers are read and dropped."""
    began = time.monotonic_ns()
    for number in range(count):
        due = began + int(number / rate * 1e9)
        time.sleep(max(0.0, (due - time.monotonic_ns()) / 1e9))
        body = f'{{"id":"{number:020}","room":"demo","nick":"익명-0421","text":"{TEXT}","ts":{due}}}'.encode()
        line.sendall(b"POST /pub HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        line.recv(65_536)


def main() -> None:
    """Obey until the input ends."""
    print("UP", flush=True)
    with socket.create_connection(("127.0.0.1", int(os.environ["PORT"]))) as line:
        for order in sys.stdin:
            _, rate, count, _ = order.split()
            publish(line, float(rate), int(count))
            print(f"DONE {count}", flush=True)


if __name__ == "__main__":
    main()
