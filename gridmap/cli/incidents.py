"""`gridmap incidents …`: what a timer does with open incidents."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from gridmap.actions.incidents import escalate_due
from gridmap.cli.output import answer_json, say
from gridmap.store.database import prepared_engine
from gridmap.texts import t

app = typer.Typer(help="Open incidents: let go up what nobody moved in time.", no_args_is_help=True)


@app.callback()
def incidents() -> None:
    """Keep `escalate` a word of its own although it is the only one."""


@app.command()
def escalate(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Let every incident go up whose clock at its level ran out; calling it twice does nothing more."""
    done = escalate_due(prepared_engine(), now=datetime.now(UTC))
    if as_json:
        answer_json({"n_escalated": len(done), "escalated": [asdict(one) for one in done]})
        return
    for one in done:
        levels = {
            name: t(f"handling.level_{level}") for name, level in (("below", one.from_level), ("above", one.to_level))
        }
        say(t("handling.went_up", number=one.incident_code, **levels))
    say(t("handling.n_went_up", n=len(done)))
