"""`ucr-trio report`: a bundle for the report of a bug, without secrets, shown before it is written."""

import io
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ucr.operate.progress import say

if TYPE_CHECKING:
    from ucr.operate.bundle import Member

FAILED = 1
NAME = "ucr-report.zip"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_README = """Made by `ucr-trio report`. Keys, tokens, headers, passwords in URLs, names of the user and of the machine were
taken out, as far as they could be known for what they are. Look through it before you send it.
"""


@click.command()
@click.option("--output", metavar="FILE", default=NAME, show_default=True, help="Where the bundle goes.")
@click.option("--id", "request_id", metavar="REQUEST", help="The id of a request that the report is about.")
@click.option(
    "--bodies", is_flag=True, help="Put texts of requests and answers in, where the journal keeps them."
)
@click.option("--key", envvar="UCR_ADMIN_KEY", help="The admin key, where one is configured.")
@click.option("--config", metavar="FILE", help="The configuration; see docs/configuration.md.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of words.")
def report(
    output: str, request_id: str | None, bodies: bool, key: str | None, config: str | None, as_json: bool
) -> None:
    """Make a bundle for the report of a bug: versions, configuration, findings, logs; without secrets.

    Works while no router runs, and with a configuration that is broken.
    """
    import trio

    from actors import RealNetwork
    from ucr.operate.bundle import Asked, gathered
    from ucr.operate.doctor_command import shown_while
    from ucr.operate.examination import read_configuration

    asked, found = Asked(config, request_id, bodies, key), read_configuration(config, os.environ)

    async def gather() -> "list[Member]":
        return await gathered(found, asked, os.environ, RealNetwork(), time.time)

    members = trio.run(shown_while, "gathering", gather)
    if not as_json:
        for member in members:
            say(f"{member.name:20} {len(member.text.encode()):>8} bytes  {member.what}")
    try:
        written(Path(output), members)
    except OSError as error:
        say(f"ucr-trio: {output}: {error.strerror}; choose another --output", "red", is_error=True)
        sys.exit(FAILED)
    if as_json:
        told = [{"name": member.name, "what": member.what, "text": member.text} for member in members]
        click.echo(json.dumps({"output": output, "members": told}, ensure_ascii=False))
    else:
        say(f"{output} is written, for you alone to read; look through it before you send it", "green")


def written(path: Path, members: "list[Member]") -> None:
    """Write the bundle with mode 0600; raise `OSError`, `FileExistsError` where there is such a file."""
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (("README.txt", _README), *((member.name, member.text) for member in members)):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            archive.writestr(info, text)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(packed.getvalue())
