"""Ask `/health` again and again from a process of its own, and print how long each answer took, in seconds.

`python -m ucr.stress.real.probe PORT SECONDS PAUSE_S`; an answer that does not come counts as 60 s.
"""

import json
import socket
import sys
import time

LIMIT_S = 60.0
REQUEST = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"


def main(port: int, seconds: float, pause_s: float) -> None:
    end, found = time.monotonic() + seconds, list[float]()
    while time.monotonic() < end:
        found.append(ask(port))
        time.sleep(pause_s)
    sys.stdout.write(json.dumps(found))


def ask(port: int) -> float:
    """Return how long one answer took, its connection included."""
    began = time.monotonic()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as line:
            line.sendall(REQUEST)
            is_well = line.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        is_well = False
    return time.monotonic() - began if is_well else LIMIT_S


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
