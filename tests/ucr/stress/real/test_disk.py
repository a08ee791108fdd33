import resource
import subprocess
import sys
from pathlib import Path

from ucr.stress.real.disk import LIMIT_BYTES, LimitedDisk, MemoryDisk, disk_in

WAITS = "input(); f = open({path!r}, 'ab', buffering=0)\nprint(f.write(b'x' * 9000), flush=True)"


def test_a_process_under_the_limit_writes_no_further_and_does_so_again_afterwards(tmp_path: Path) -> None:
    disk, path = LimitedDisk(tmp_path), str(tmp_path / "file")
    for is_full, taken in ((True, LIMIT_BYTES), (False, 9000)):
        Path(path).unlink(missing_ok=True)
        command = [sys.executable, "-c", WAITS.format(path=path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            disk.fill([process.pid])
            if not is_full:
                disk.free([process.pid])
            said, _ = process.communicate("\n")
        assert int(said) == taken
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != LIMIT_BYTES


def test_a_disk_in_memory_has_no_byte_left_until_its_ballast_goes(tmp_path: Path) -> None:
    """The disk is a folder here, and files of this process are cut where that would be full."""
    disk, before = MemoryDisk(tmp_path), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_001, before[1]))
    try:
        disk.fill([])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    (ballast,) = tmp_path.iterdir()
    assert ballast.stat().st_size == 200_001
    disk.free([])
    assert list(tmp_path.iterdir()) == []


def test_who_is_not_root_gets_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    with disk_in(tmp_path / "disk", is_root=False) as disk:
        assert isinstance(disk, LimitedDisk)
        assert disk.folder.is_dir()
