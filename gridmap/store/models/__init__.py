"""The one description of the schema: importing this package registers every table on `Model.metadata`."""

from gridmap.store.models import facts, imports, ledgers, people, places, plans, review
from gridmap.store.models.model import Model

__all__ = ["Model", "facts", "imports", "ledgers", "people", "places", "plans", "review"]
