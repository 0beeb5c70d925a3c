"""The commands of `ekiben dlq`, put together."""

from __future__ import annotations

import typer

from ekiben.cli.dlq import discarding, listing, replaying, showing, trimming

app = typer.Typer(
    help="Dead letters: what died, where and why; send back what is mended.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.command("list", epilog=listing.EXAMPLE)(listing.list_)
app.command(epilog=showing.EXAMPLE)(showing.show)
app.command(epilog=replaying.EXAMPLE)(replaying.replay)
app.command(epilog=discarding.EXAMPLE)(discarding.discard)
app.command(epilog=trimming.EXAMPLE)(trimming.trim)
