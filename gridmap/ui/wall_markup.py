"""The wall's panels as HTML. Whatever comes from data is escaped here, in one place; nothing else is ever inserted."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from html import escape

from gridmap.maps.deck import View
from gridmap.maps.palette import ramp_bounds
from gridmap.reports.circle import CircleFigures
from gridmap.reports.figures import Figure, formula_words
from gridmap.reports.live import Event, IncidentsReport, PatrolReport
from gridmap.reports.patrolled import PatrolledReport
from gridmap.reports.township import GridLoad, TownshipReport
from gridmap.settings import settings
from gridmap.texts import t
from gridmap.ui import numbers
from gridmap.ui.theme import Markup
from gridmap.ui.wall_charts import CALENDAR_FULL_SHARE, CALENDAR_RAMP

_KEPT = 16
_N_LOADS = 6
_BAR_FULL_SHARE = 1.25
# Characters of a category that leave no room for the word for dispute behind it.
_LONG_CATEGORY = 5
_GRID_LEVELS = {None, "member", "grid"}
_SCALE_BARS_M = (100, 200, 500, 1000, 2000, 5000, 10_000)
_SCALE_BAR_MAX_PX = 150


def _panel(name: str, title: str, note: str, body: str) -> str:
    return _explained_panel(name, title, f"<span>{escape(note)}</span>", body)


def _explained_panel(name: str, title: str, legend: str, body: str) -> str:
    """Return a panel whose head holds the legend of its chart, as HTML."""
    return (
        f'<section class="panel {name}"><div class="panel-head"><h2>{escape(title)}</h2>{legend}</div>{body}</section>'
    )


def _disputes_legend() -> str:
    keys = "".join(
        f'<span class="key"><i class="swatch {name}"></i>{escape(t(f"live.{name}_now"))}</span>'
        for name in ("closed", "open")
    )
    return f'<div class="chart-keys" {_words(t("live.formula_disputes"))}>{keys}<span>{escape(t("live.per_day"))}</span></div>'


def _calendar_legend() -> str:
    steps = "".join(f'<i class="step" style="background:{colour}"></i>' for colour in CALENDAR_RAMP)
    most = numbers.percent(CALENDAR_FULL_SHARE)
    return (
        f'<div class="chart-keys" {_words(t("live.formula_calendar"))}><span>{escape(t("live.visited_points"))}</span>'
        f'<span class="key">0<span class="ramp">{steps}</span>≥{most}</span></div>'
    )


def _words(formula: str) -> str:
    return f'tabindex="0" data-formula="{escape(formula)}"'


def _formula(figure: Figure) -> str:
    """Return the attributes that show a figure's formula when it is pointed at, tapped or tabbed to."""
    words = formula_words(figure.formula_key)
    if figure.numerator is not None and figure.denominator is not None:
        words = f"{words} {numbers.number(figure.numerator)} / {numbers.number(figure.denominator)}"
    return _words(words)


def _value(figure: Figure, state: str = "") -> str:
    unit = "" if figure.unit == "unit.share" or figure.value is None else f"<i>{escape(t(figure.unit))}</i>"
    return f'<b class="value {state}">{escape(numbers.figure(figure))}{unit}</b>'


def _tile(figure: Figure, words: str, *, state: str = "", extra: str = "") -> str:
    shown = state if figure.value else ""
    return f'<div class="tile" {_formula(figure)}>{_value(figure, shown)}<span class="words">{escape(words)}{extra}</span></div>'


def _against_yesterday(report: IncidentsReport) -> str:
    if report.new.value is None or report.new_yesterday.value is None:
        return ""
    difference = int(report.new.value - report.new_yesterday.value)
    words = (
        t("live.same_as_yesterday") if difference == 0 else t("live.against_yesterday", difference=f"{difference:+d}")
    )
    return f"<em>{escape(words)}</em>"


@lru_cache(maxsize=_KEPT)
def left_panels(
    incidents: IncidentsReport, patrol: PatrolReport, circle: CircleFigures, passed: PatrolledReport, language: str
) -> Markup:
    """Return today's incidents, today's patrol, the service circle, and the frame of the disputes' chart."""
    del language  # part of the key: the words differ
    today = "".join(
        (
            _tile(incidents.new, t("live.new"), extra=_against_yesterday(incidents)),
            _tile(incidents.closed, t("live.closed")),
            _tile(incidents.due_soon, t("live.due_soon"), state="wait"),
            _tile(incidents.overdue, t("live.overdue"), state="alarm"),
        )
    )
    answer = (
        f'<div class="answer"><div {_formula(circle.reached)}>{_value(circle.reached)}</div>'
        f'<div class="beside" {_formula(circle.n_outside)}>{escape(t("live.outside"))} '
        f"<strong>{escape(numbers.figure(circle.n_outside))}</strong> {escape(t('unit.households'))}</div>"
        f"{_unmatched(circle.n_unmatched)}</div>"
    )
    return Markup(
        _panel("today", t("live.today"), t("live.since_midnight"), f'<div class="tiles">{today}</div>')
        + _panel(
            "patrol",
            t("live.patrol"),
            t("live.due_points", n=numbers.figure(patrol.due)),
            _patrol(patrol) + _longest(passed),
        )
        + _panel("circle", t("live.circle"), t("live.on_foot"), answer)
        + _explained_panel("disputes", t("live.disputes"), _disputes_legend(), _closing_shares(incidents))
    )


def _unmatched(figure: Figure) -> str:
    if not figure.value:
        return ""
    words = t("live.unmatched", n=numbers.figure(figure))
    return f'<div class="beside quiet" {_formula(figure)}>{escape(words)}</div>'


def _patrol(report: PatrolReport) -> str:
    parts = ((report.visited, "visited"), (report.waiting, "waiting"), (report.unknown, "unknown"))
    total = sum(figure.value or 0 for figure, _ in parts)
    bar = "".join(
        f'<span class="{state}" style="flex-grow:{figure.value:.0f}"></span>' for figure, state in parts if figure.value
    )
    keys = "".join(
        f'<span class="key" {_formula(figure)}><i class="mark {state}"></i>{escape(t(f"live.{state}"))} '
        f"<strong>{escape(numbers.figure(figure))}</strong></span>"
        for figure, state in parts
    )
    return (
        f'<div class="answer"><div {_formula(report.visited_share)}>{_value(report.visited_share)}</div></div>'
        f'<div class="bar{"" if total else " nothing"}">{bar}</div><div class="keys">{keys}</div>'
    )


def _longest(report: PatrolledReport) -> str:
    """Return the village group with most homes that nobody passed for long."""
    groups = report.groups[report.groups["n_long"] > 0]
    if groups.empty:
        return ""
    first = groups.iloc[0]
    place = f"{first['village_name']} {first['name']}"
    words = t("live.longest_homes", homes=numbers.number(first["n_long"]), days=report.long_days)
    return (
        f'<p class="longest" {_words(formula_words("coverage.formula_long"))}><i class="lane"></i>'
        f"<span>{escape(place)}</span><strong>{escape(words)}</strong></p>"
    )


def _closing_shares(report: IncidentsReport) -> str:
    shares = ((report.in_grid, "in_grid"), (report.on_time, "on_time"), (report.satisfied, "satisfied"))
    words = "".join(
        f"<span {_formula(figure)}><strong>{escape(numbers.figure(figure))}</strong>{escape(t(f'live.{name}'))}</span>"
        for figure, name in shares
    )
    return f'<div class="shares">{words}</div>'


@lru_cache(maxsize=_KEPT)
def right_panels(
    incidents: IncidentsReport, township: TownshipReport, newest: str | None, today: date, language: str
) -> Markup:
    """Return the latest events, the fullest grids, and the frame of the calendar's chart.

    `newest` is the incident that just came in.
    """
    del language  # part of the key: the words differ
    cap = numbers.number(township.household_cap)
    return Markup(
        _panel("events", t("live.events"), t("live.by_time"), _events(incidents, newest, today))
        + _panel("loads", t("live.load"), t("live.of_cap", cap=cap), _loads(township.loads[:_N_LOADS]))
        + _explained_panel("calendar", t("live.calendar"), _calendar_legend(), "")
    )


def _events(report: IncidentsReport, newest: str | None, today: date) -> str:
    rows = "".join(_event(event, today=today, is_newest=event.incident_code == newest) for event in report.events)
    nothing = t("live.no_events" if report.new.value is not None else "live.events_unknown")
    return f'<ol class="rows">{rows}</ol>' if rows else f'<p class="nothing">{escape(nothing)}</p>'


def _event(event: Event, *, today: date, is_newest: bool) -> str:
    state = "alarm" if event.is_overdue else "good" if event.state == "closed" else "wait"
    words = t("live.is_overdue") if event.is_overdue else state_words(event)
    return (
        f'<li class="{"newest" if is_newest else ""}"><time>{escape(numbers.clock_or_day(event.happened_at, today=today))}</time>'
        f'<span class="what">{escape(category_words(event))}</span>'
        f'<span class="where">{escape(place_words(event))}</span>'
        f'<span class="state {state}">{escape(words)}</span></li>'
    )


def state_words(event: Event) -> str:
    """Return where an incident stands and, while it is worked on, at which level."""
    if event.state in {"escalated", "handling"} and event.level not in _GRID_LEVELS:
        return t(f"live.state_{event.state}_{event.level}")
    return t(f"live.state_{event.state}")


def category_words(event: Event) -> str:
    """Return the category as people say it: the list calls a quarrel between neighbours just `neighbours`.

    Of a private matter only its kind.
    """
    if event.category is None:
        return t(f"controls.kind_{event.kind}")
    says_itself = event.kind != "dispute" or len(event.category) > _LONG_CATEGORY
    return event.category if says_itself else t("live.dispute", category=event.category)


def place_words(event: Event) -> str:
    """Return the village, or that it is not told."""
    return t("live.not_public") if event.is_private else event.village or numbers.UNKNOWN


def _loads(loads: Iterable[GridLoad]) -> str:
    rows = "".join(_load(load) for load in loads)
    return f'<ol class="bars">{rows}</ol>' if rows else f'<p class="nothing">{escape(numbers.UNKNOWN)}</p>'


def _load(load: GridLoad) -> str:
    state = "near" if load.cap_share >= settings().near_cap_share else "low"
    full = min(load.cap_share, 1) / _BAR_FULL_SHARE * 100
    over = max(min(load.cap_share, _BAR_FULL_SHARE) - 1, 0) / _BAR_FULL_SHARE * 100
    note = t("live.load_row", n=load.n_households)
    if load.has_exception:
        note = f"{note}{t('live.load_exception')}"
    return (
        f'<li tabindex="0" data-formula="{escape(note)}"><span class="what">{escape(load.name)}</span>'
        f'<span class="track"><span class="{state}" style="width:{full:.1f}%"></span>'
        f'<span class="over" style="width:{over:.1f}%"></span></span>'
        f'<span class="share">{escape(numbers.percent(load.cap_share))}</span></li>'
    )


@lru_cache(maxsize=_KEPT)
def over_map(
    township: TownshipReport, view: View, scale: float, pulse_at: tuple[float, float] | None, language: str
) -> Markup:
    """Return what lies over the map: names, the newest event's pulse, legend and scale bar.

    The view stands still, so names are placed by projection and drawn by the browser as text, sharp at any size.
    """
    del language  # part of the key: the words differ
    names = "".join(
        f'<span class="name {escape(name.kind)}" style="{_at(view, name.longitude, name.latitude)}">{escape(name.name)}</span>'
        for name in township.names
    )
    bounds = ramp_bounds(settings().near_cap_share)
    pulse = f'<span class="pulse" style="{_at(view, *pulse_at)}"></span>' if pulse_at else ""
    ramp = "".join(f'<i class="step" style="background:var(--load-{step})"></i>' for step in range(len(bounds)))
    cap = township.household_cap
    low, near = round(cap * bounds[0]), round(cap * bounds[-1])
    load = (
        f'<span class="key">{escape(t("live.legend_low", n=low))}<span class="ramp">{ramp}</span>{near}</span>'
        f'<span class="key"><i class="swatch" style="background:var(--load-5)"></i>{escape(t("live.legend_near", low=near, high=cap))}</span>'
        f'<span class="key"><i class="swatch" style="background:var(--load-6)"></i>'
        f"{escape(t('live.legend_over', cap=cap))}</span>"
    )
    states = "".join(
        f'<span class="key"><i class="mark {state}"></i>{escape(t(f"live.{state}"))}</span>'
        for state in ("visited", "waiting", "unknown", "incident")
    )
    lanes = t("live.unpassed_lanes", days=settings().patrolled_days)
    states += f'<span class="key"><i class="lane"></i>{escape(lanes)}</span>'
    return Markup(
        f'<div class="over-map">{names}{pulse}<div class="legend"><p>{states}</p><p>{load}</p></div>{_scale_bar(view, scale)}</div>'
    )


def _at(view: View, longitude: float, latitude: float) -> str:
    right, down = view.offset_px(longitude, latitude)
    return f"left:calc(50% + {right:.1f}px);top:calc(50% + {down:.1f}px)"


def _scale_bar(view: View, scale: float) -> str:
    per_px = view.metres_per_px()
    fitting = [metres for metres in _SCALE_BARS_M if metres / per_px <= _SCALE_BAR_MAX_PX * scale]
    metres = fitting[-1] if fitting else _SCALE_BARS_M[0]
    words = f"{metres // 1000} km" if metres >= 1000 else f"{metres} m"  # noqa: PLR2004  metres in a kilometre
    return f'<div class="scale-bar" style="width:{metres / per_px:.1f}px">{words}</div>'


def newest_event(report: IncidentsReport, *, now: datetime, seconds: float) -> Event | None:
    """Return the incident that was recorded within the last seconds, None when there is none."""
    latest = max(report.events, key=lambda event: event.recorded_at, default=None)
    if latest is None or (now - latest.recorded_at).total_seconds() > seconds:
        return None
    return latest
