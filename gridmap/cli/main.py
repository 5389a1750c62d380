"""Entry point: one Typer application, one place where errors become a sentence and an exit code.

Exit codes: 0 done, 1 the answer is "no", 2 wrong use or bad input.
"""

import sys

import typer

from gridmap.cli import (
    coverage,
    db,
    demo,
    heat,
    hotspots,
    incidents,
    intake,
    ledger,
    load,
    plan,
    posters,
    province,
    review,
    serve,
    wecom,
    workload,
)
from gridmap.errors import GridmapError

app = typer.Typer(
    name="gridmap",
    help="Area-grid mapping and patrol analytics for a township (乡镇网格一张图).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("load")(load.load)
app.command("hotspots")(hotspots.hotspots)
app.command("heat")(heat.heat)
app.command("workload")(workload.workload)
app.command("posters")(posters.write_posters)
app.command("member-card")(posters.write_member_card)
app.command("review")(review.review)
app.command("review-province")(province.province)
app.add_typer(db.app, name="db")
app.add_typer(incidents.app, name="incidents")
app.add_typer(intake.app, name="intake")
app.add_typer(ledger.app, name="ledger")
app.add_typer(plan.app, name="plan")
app.add_typer(coverage.app, name="coverage")
app.add_typer(wecom.app, name="wecom")

WRONG_USE = 2


def main() -> None:
    """Run the command line; a gridmap error becomes one sentence on stderr and exit code 2."""
    try:
        app()
    except GridmapError as error:
        sys.stderr.write(f"gridmap: {error}\n")
        sys.exit(WRONG_USE)
