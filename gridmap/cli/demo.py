"""`gridmap demo`: load the sample township, once; with `--live` go on inventing facts."""

import random
import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy import Engine

from gridmap.actions.demo import load_demo
from gridmap.actions.live import LiveTownship
from gridmap.cli.output import progress, say
from gridmap.settings import settings
from gridmap.store.database import prepared_engine
from gridmap.texts import t


def demo(
    live: Annotated[
        bool, typer.Option("--live", help="Go on inventing a check-in or incident every few seconds.")
    ] = False,
    every: Annotated[float, typer.Option(help="Mean seconds between two invented facts.", min=0.05)] = 4.0,
    count: Annotated[int | None, typer.Option(help="Stop after so many invented facts.", min=1)] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the invention.")] = None,
) -> None:
    """Load the sample township through the importers, shifted so that its last recorded day is today."""
    engine = prepared_engine()
    was_loaded = load_sample(engine)
    say(t("load.demo_done") if was_loaded else t("load.demo_known"))
    if not live:
        return
    township = LiveTownship.open(engine, settings=settings(), rng=random.Random(seed), now=datetime.now(UTC))  # noqa: S311  invention, no secret
    invented = 0
    try:
        while count is None or invented < count:
            say(township.invent(now=datetime.now(UTC)))
            invented += 1
            time.sleep(township.rng.expovariate(1 / every))
    except KeyboardInterrupt:
        progress(t("load.live_stopped", count=invented))


def load_sample(engine: Engine) -> bool:
    """Load the sample township with its progress on stderr; False when it was loaded before."""
    return load_demo(
        engine,
        sample_dir=settings().sample_dir,
        settings=settings(),
        now=datetime.now(UTC),
        progress=lambda outcome: progress(outcome.sentence),
    )
