"""`medo1 completion`: what completes the commands and options of `medo1` and `kedro` in a shell."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion of SHELL, for `medo1` and for `kedro`.

    \b
    bash   eval "$(medo1 completion bash)"             in ~/.bashrc
    zsh    eval "$(medo1 completion zsh)"              in ~/.zshrc
    fish   medo1 completion fish > ~/.config/fish/completions/medo1.fish
    """
    from click.shell_completion import get_completion_class

    from medo1.commands.program import program

    found = get_completion_class(shell)
    assert found is not None
    for name in ("medo1", "kedro"):
        script = found(program, {}, name, f"_{name.upper()}_COMPLETE")
        click.echo(script.source_template % script.source_vars())  # `source` of bash starts a bash to ask its version
