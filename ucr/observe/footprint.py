"""The memory of this process by its kinds, as the system tells them."""

from pathlib import Path

_STATUS = Path("/proc/self/status")

HEAP_USED = "heap_used_bytes"
HEAP_TOTAL = "heap_total_bytes"
EXTERNAL = "external_bytes"
RSS = "rss_bytes"


def footprint(status: Path = _STATUS) -> dict[str, int]:
    """Return bytes by kind; nothing where the system does not tell (it is Linux that does).

    `heap_used_bytes` is resident and belongs to no file: objects of Python, and what libraries in C have allocated.
    `heap_total_bytes` is what has been set aside for that and for stacks, resident or not. `external_bytes` is
    resident and belongs to files or is shared: the interpreter and the libraries themselves. `rss_bytes` is all that is
    resident, the first and the third together.
    """
    try:
        lines = dict(line.split(":", 1) for line in status.read_text("ascii").splitlines() if ":" in line)
        used, files, shared, data, stack = (
            int(lines[name].split()[0]) * 1024 for name in ("RssAnon", "RssFile", "RssShmem", "VmData", "VmStk")
        )
    except (OSError, KeyError, IndexError, ValueError):
        return {}
    return {
        HEAP_USED: used,
        HEAP_TOTAL: data + stack,
        EXTERNAL: files + shared,
        RSS: used + files + shared,
    }
