"""Ledgers (台账): people, fixed-point patrols with practical things, points, and the lists of the grids."""

from gridmap.reports.data import data_report
from gridmap.texts import t
from gridmap.ui import controls, loaders, panels, shell
from gridmap.ui.ledgers import frame, lists, patrols, people, points
from gridmap.ui.roles import require_role
from gridmap.ui.room import page_room

require_role("viewer")
township = shell.office_page(t("shell.ledgers"))
space = page_room()
places, age_place = controls.line(f"{township.name} {t('shell.ledgers')}", 3)
with places[0]:
    month = frame.month()
with places[1]:
    village = controls.village(township, panels.village_names())
with places[2]:
    where = frame.Where(village=village, grid=frame.grid(month, village))
with age_place:
    panels.data_age(loaders.load(data_report).known_at)
chosen = frame.which()
frame.tell()
if chosen == "people":
    people.draw(township.code, month, where, space)
elif chosen == "patrols":
    patrols.draw(township.code, month, where, space)
elif chosen == "points":
    points.draw(township, month, where, space)
else:
    lists.draw(township.code, month, where, space)
