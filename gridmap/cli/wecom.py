"""`gridmap wecom …`: pull reports from the work platform (企业微信), and see which of its grids are ours."""

import signal
import time
from dataclasses import asdict
from datetime import UTC, datetime
from random import SystemRandom
from typing import Annotated

import typer

from gridmap.actions.township import chosen_township
from gridmap.actions.wecom_pull import Pulled, parsed_since, pull
from gridmap.cli.output import answer_json, progress, say
from gridmap.ingest.wecom_client import FAMILIES, Waiting, WecomClient
from gridmap.settings import settings
from gridmap.store.database import prepared_engine
from gridmap.store.work_platform import read_platform_grids
from gridmap.texts import t

app = typer.Typer(
    help="The work platform (企业微信): pull patrol and resident reports, see its grids.", no_args_is_help=True
)
_SAYS_NO = 1
_LEAST_PAUSE_S = 10.0


@app.command("pull")
def pull_reports(
    since: Annotated[
        str | None,
        typer.Option(help="Ask again for what was modified since a day, YYYY-MM-DD, or a time with its zone."),
    ] = None,
    family: Annotated[str | None, typer.Option(help=f"Only one of: {', '.join(FAMILIES)}.")] = None,
    township: Annotated[str | None, typer.Option(help="Nine digits; needed with several townships.")] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Pull once and end, for cron; exit 1 when a list of orders failed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a pull.")] = False,
) -> None:
    """Pull what was modified since the last pull; what was stored stays, and the next pull goes on where this one stopped."""
    chosen = settings()
    waiting = Waiting(pause=time.sleep, jitter=SystemRandom().random)
    beginning = parsed_since(since, settings=chosen)
    with WecomClient(
        address=chosen.wecom_address,
        corp_id=chosen.wecom_corp_id,
        secret=chosen.wecom_secret,
        timeout_s=chosen.wecom_timeout_s,
        max_bytes=chosen.max_file_mb * 2**20,
        waiting=waiting,
        proxy=chosen.wecom_proxy,
    ) as client:
        engine = prepared_engine()
        if not once:
            # A service is told to stop by another signal than the keyboard's.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            progress(t("wecom.pulling", minutes=f"{chosen.wecom_pull_minutes:g}"))
        try:
            while True:
                outcomes = pull(
                    engine,
                    client,
                    settings=chosen,
                    now=datetime.now(UTC),
                    families=FAMILIES if family is None else (family,),
                    since=beginning,
                    township_code=township,
                )
                _tell(outcomes, as_json=as_json)
                if once:
                    break
                beginning = None
                time.sleep(max(60 * chosen.wecom_pull_minutes, _LEAST_PAUSE_S))
        except KeyboardInterrupt:
            progress(t("wecom.stopped"))
            return
    # An app that may not read the grid tree still pulls its orders.
    if any(outcome.fault for outcome in outcomes if outcome.family in FAMILIES):
        raise typer.Exit(_SAYS_NO)


def _tell(outcomes: list[Pulled], *, as_json: bool) -> None:
    if as_json:
        answer_json({"pulled": [asdict(outcome) for outcome in outcomes]})
        return
    for outcome in outcomes:
        name = t(f"wecom.family_{outcome.family}")
        if outcome.family == "grids":
            say(t("wecom.pulled_grids", family=name, n_orders=outcome.n_orders))
        else:
            counts = {key: value for key, value in asdict(outcome).items() if key.startswith("n_")}
            say(t("wecom.pulled", family=name, **counts))
        for note in outcome.notes:
            say(f"  · {note}")
        if outcome.fault:
            progress(t("wecom.failed", family=name, fault=outcome.fault))


@app.command("grids")
def list_grids(
    township: Annotated[str | None, typer.Option(help="Nine digits; needed with several townships.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the platform's grids and which of ours each is; exit 1 when some are none of ours."""
    with prepared_engine().connect() as connection:
        town = chosen_township(connection, township)
        grids = read_platform_grids(connection, township_code=town.code).reset_index()
    rows = grids.astype(object).where(grids.notna(), None).to_dict("records")
    if as_json:
        answer_json({"township_code": town.code, "grids": rows})
    elif not rows:
        say(t("wecom.no_grids"))
    else:
        for row in rows:
            ours = t("wecom.no_grid") if row["grid_code"] is None else f"{row['grid_code']} {row['grid_name']}"
            say(t("wecom.grid_row", grid_id=row["grid_id"], name=row["name"], ours=ours))
    if not rows or any(row["grid_code"] is None for row in rows):
        raise typer.Exit(_SAYS_NO)
