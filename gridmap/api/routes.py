"""The HTTP routes beside the dashboard's own."""

from starlette.routing import BaseRoute, Route

from gridmap.api.assets import asset
from gridmap.api.health import health
from gridmap.api.intake import intake_routes
from gridmap.api.layers import layer
from gridmap.api.member_page import member_routes
from gridmap.api.residents import resident_routes


def routes() -> list[BaseRoute]:
    """Return the routes; functions that are not async run in a thread, so a slow query stops nobody."""
    return [
        Route("/healthz", health),
        Route("/map/{township}/{name}.json", layer),
        Route("/assets/{path:path}", asset),
        *intake_routes(),
        *resident_routes(),
        *member_routes(),
    ]
