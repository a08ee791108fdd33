"""`ucr-trio completion bash | zsh | fish`: the script that completes commands and options in a shell."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "fish", "zsh")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands and options in a shell."""
    made = get_completion_class(shell)
    if made is not None:
        complete = made(ctx.find_root().command, {}, "ucr-trio", "_UCR_TRIO_COMPLETE")
        click.echo(complete.source_template % complete.source_vars())
