"""The one description of the schema: importing this package registers every table on `Model.metadata`."""

from gridmap.store.models import facts, imports, intake, ledgers, people, places, plans, review, work_platform
from gridmap.store.models.model import Model

__all__ = ["Model", "facts", "imports", "intake", "ledgers", "people", "places", "plans", "review", "work_platform"]
