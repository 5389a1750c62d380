"""`gridmap serve`: the dashboard, on the private PostGIS when no database is named."""

import socket
from typing import Annotated

import typer
import uvicorn

from gridmap.actions.demo import has_foreign_township
from gridmap.cli.demo import load_sample
from gridmap.cli.output import say
from gridmap.errors import InputError
from gridmap.settings import PROJECT_DIR
from gridmap.store.database import prepared_engine
from gridmap.texts import t


def serve(
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8501,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for the whole intranet.")] = "127.0.0.1",
    with_sample: Annotated[
        bool, typer.Option("--with-sample", help="Load the sample township first, unless there is another one.")
    ] = False,
) -> None:
    """Serve the dashboard until it is stopped."""
    _require_free(host, port)
    engine = prepared_engine()
    if with_sample and not has_foreign_township(engine):
        load_sample(engine)
    say(t("load.serving", address=f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0') else host}:{port}"))  # noqa: S104  shown, not bound
    uvicorn.run("app:app", host=host, port=port, app_dir=str(PROJECT_DIR), log_level="warning", ws_max_size=2**25)


def _require_free(host: str, port: int) -> None:
    """Refuse an address that another program listens on, before anything is loaded or said."""
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return
    except OSError as error:
        raise InputError(
            t("load.error_address", host=host, port=port, fault=str(error.strerror).split(" (")[0])
        ) from error
