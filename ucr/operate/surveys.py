"""What an examination looks at on this machine: files, limits, the port, Redis, the custom router, Claude Code."""

import errno
import resource
import socket
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import trio

from actors import Network, open_supervisor
from actors.tls import Tls, client_tls
from ucr import custom_process
from ucr.config.model import Config
from ucr.custom import INTENSITY, CustomRouter
from ucr.errors import ConfigError
from ucr.operate.finding import Finding
from ucr.operate.settings import found_contradictions
from ucr.operate.surroundings import BASE_URL, ELSEWHERE

FEW_DESCRIPTORS, MANY_DESCRIPTORS = 256, 4096
REDIS_S = 5.0
_BY_OWNER = stat.S_IRWXU
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PAGE_BYTES = 4096
_BY_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LISTENING = "0A"
_PORT_AND_STATE, _INODE = (1, 3), 9


def of_configuration(found: Config | ConfigError) -> Iterator[Finding]:
    """Say what is wrong with the configuration."""
    if isinstance(found, ConfigError):
        for problem in found.problems:
            shown = f" = {problem.value}" if problem.value else ""
            yield Finding("configuration", "failed", f"{problem.file}: {problem.key}{shown}", problem.remedy)
        return
    for warning in found.warnings:
        words, _, remedy = warning.rpartition("; ")
        yield Finding(
            "configuration", "warning", words or remedy, remedy if words else "see docs/configuration.md"
        )
    many = len(found.providers)
    words = f"{found.source}: {many} provider{'' if many == 1 else 's'}"
    if many:
        yield Finding("configuration", "ok", words)
    else:
        remedy = "set a provider's key in the environment, or write a file: ucr-trio setup"
        yield Finding("configuration", "warning", "no provider is found: the demo would answer", remedy)


def of_permissions(config: Config | None, folder: Path) -> Iterator[Finding]:
    """Say which files others can read, and what cannot be written to."""
    private = [folder]
    if config is not None and config.server.tls_key is not None:
        private.append(Path(config.server.tls_key))
    open_ = [path for path in private if _mode_of(path) & _BY_OTHERS]
    for path in open_:
        mode = "700" if path.is_dir() else "600"
        yield Finding("permissions", "failed", f"{path} is open to others", f"chmod {mode} {path}")
    above = next(path for path in (folder, *folder.absolute().parents) if _mode_of(path))
    remedy = f"make {above} a folder of yours, or set UCR_STATE_DIR"
    if (why := _unwritable(folder, above)) is not None:
        if why.errno in _FULL:
            remedy = "make room there, or set UCR_STATE_DIR"
        words = f"{folder} cannot be written to: {why.strerror}"
        yield Finding("permissions", "failed", words, remedy)
    elif _mode_of(above) & _BY_OWNER != _BY_OWNER:
        yield Finding("permissions", "warning", f"{folder} can be written to by root alone", remedy)
    elif not open_:
        yield Finding("permissions", "ok", f"{folder} is yours alone")


def _unwritable(folder: Path, above: Path) -> OSError | None:
    """Say why nothing could be written into a folder; `above` is the nearest one that is there, perhaps itself.

    It is tried: modes do not bind root, and say nothing of a disk that is full or may only be read.
    """
    try:
        with suppress(FileNotFoundError):
            folder.stat()
        with tempfile.TemporaryFile(dir=above) as file:
            file.write(bytes(_PAGE_BYTES))
            file.flush()
    except OSError as error:
        return error
    return None


def _mode_of(path: Path) -> int:
    """Return the mode of a file; 0 where there is none, or where a folder above it lets nobody look."""
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def of_limits(hard: int) -> Finding:
    """Say whether the system lets the router open enough files; `hard` is RLIMIT_NOFILE's."""
    shown = "any number of" if hard == resource.RLIM_INFINITY else str(hard)
    words, remedy = f"a process may open {shown} files", "raise it: ulimit -Hn, or LimitNOFILE= of systemd"
    if hard == resource.RLIM_INFINITY or hard >= MANY_DESCRIPTORS:
        return Finding("limits", "ok", words)
    return Finding("limits", "failed" if hard < FEW_DESCRIPTORS else "warning", words, remedy)


def of_port(host: str, port: int, proc: Path = Path("/proc")) -> Finding:
    """Say whether a router could listen on a port where none answers, and else who is there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
            tried.listen(1)
        except OSError as error:
            words = f"{host}:{port} cannot be listened on: {error.strerror}"
            if error.errno == errno.EADDRINUSE:
                words += f" by {_listener(port, proc) or 'another process'}"
            return Finding("port", "failed", words, "end that process, or choose another server.port")
    return Finding("port", "ok", f"{host}:{port} is free")


def _listener(port: int, proc: Path) -> str | None:
    """Return the process that listens on a port, where Linux shows it to this user."""
    inodes = {inode for name in ("tcp", "tcp6") for inode in _inodes(proc / "net" / name, port)}
    for folder in sorted(proc.glob("[0-9]*")) if inodes else ():
        try:
            if any(str(link.readlink()) in inodes for link in (folder / "fd").iterdir()):
                return f"process {folder.name} ({(folder / 'comm').read_text('utf-8').strip()})"
        except OSError:
            continue
    return None


def _inodes(table: Path, port: int) -> Iterator[str]:
    try:
        rows = table.read_text("ascii").splitlines()[1:]
    except OSError:
        return
    for row in rows:
        fields = row.split()
        address, state = (fields[place] for place in _PORT_AND_STATE)
        if state == _LISTENING and int(address.rpartition(":")[2], 16) == port:
            yield f"socket:[{fields[_INODE]}]"


async def of_redis(config: Config, network: Network) -> Finding | None:
    """Say whether the Redis of the cache answers; None where none is configured."""
    address = config.cache.url
    if not config.cache.enabled or config.cache.backend != "redis" or address is None:
        return None
    from actors.redis_reply import RedisGone
    from actors.redis_session import open_session

    async def connect() -> trio.abc.Stream:
        if address.path:
            return await trio.open_unix_socket(address.path)
        tls = Tls(client_tls()) if address.tls else None
        return await network.connect(address.host, address.port, tls=tls, server_hostname=address.host)

    why = f"it does not answer within {REDIS_S:g} s"
    with trio.move_on_after(REDIS_S):
        try:
            async with open_session(address, connect, 1) as session:
                (answer,) = await session.call((b"PING",))
                if answer == b"PONG":
                    return Finding("redis", "ok", f"{address.host or address.path} answers")
                why = f"it answers {answer!r}"
        except RedisGone as gone:
            why = str(gone)
    where = address.host or address.path
    return Finding("redis", "failed", f"{where} cannot be used: {why}", "start it, or correct cache.url")


async def of_custom_router(config: Config, log: Any) -> Finding | None:
    """Say whether the custom router loads, in a process of its own; None where none is configured."""
    if config.router.custom is None:
        return None
    async with open_supervisor() as supervisor:
        router = CustomRouter(config, custom_process.start, log, lambda _outcome: None)
        await supervisor.start(router, intensity=INTENSITY)
        await router.wait_tried()
        trouble = router.trouble
    if trouble is None:
        return Finding("custom router", "ok", f"{config.router.custom} loads")
    return Finding("custom router", "failed", f"{config.router.custom}: {trouble}", "correct the file")


def of_claude_code(environ: Mapping[str, str], url: str) -> Iterator[Finding]:
    """Say what leads Claude Code past the router."""
    area, base = "claude code", environ.get(BASE_URL, "").rstrip("/")
    wrong = [str(each).rpartition("; ") for each in found_contradictions(environ, url)]
    yield from (Finding(area, "failed", words, remedy) for words, _, remedy in wrong)
    if base and base != url:
        words = f"{BASE_URL} is {base}, and the router is at {url}"
        yield Finding(area, "failed", words, f"export {BASE_URL}={url}, or start it with ucr-trio code")
    elif base:
        away = [name for name in ELSEWHERE if name.startswith("CLAUDE_CODE_USE_") and environ.get(name)]
        for name in away:
            yield Finding(area, "failed", f"{name} leads it to another cloud", f"unset {name}")
        if not away and not wrong:
            yield Finding(area, "ok", f"{BASE_URL} is the router's")
    elif not wrong:
        yield Finding(area, "ok", "nothing leads it elsewhere; start it with ucr-trio code")
