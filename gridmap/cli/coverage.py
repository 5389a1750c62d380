"""`gridmap coverage …`: who is within reach of a point, who is not, and where one more helps most; without a database."""

import typer

from gridmap.cli.reach import area, gaps
from gridmap.cli.siting import site

app = typer.Typer(help="Who is within reach, who is not, and where one more point helps most.", no_args_is_help=True)
app.command("area")(area)
app.command("gaps")(gaps)
app.command("site")(site)
