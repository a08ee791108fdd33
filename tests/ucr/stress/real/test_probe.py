import socket
import threading

from ucr.stress.real.probe import LIMIT_S, ask


def served_once(answer: bytes) -> int:
    """Answer one connection from a thread; return its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener:
            accepted, _ = listener.accept()
        with accepted:
            accepted.recv(1000)
            accepted.sendall(answer)

    threading.Thread(target=serve).start()
    return int(listener.getsockname()[1])


def test_a_good_answer_takes_its_time_and_any_other_counts_as_the_longest() -> None:
    assert ask(served_once(b"HTTP/1.1 200 OK\r\n\r\n")) < LIMIT_S
    assert ask(served_once(b"HTTP/1.1 503 No\r\n\r\n")) == LIMIT_S


def test_a_port_that_refuses_counts_as_the_longest() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    assert ask(port) == LIMIT_S
