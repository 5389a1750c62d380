"""All settings in one place; the only module that reads the environment."""

import os
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from gridmap.errors import InputError

PROJECT_DIR = Path(__file__).resolve().parent.parent
ROLES = ("viewer", "editor")
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an installation decides. Numbers that are policy live here, never as defaults of a function.

    Parameters
    ----------
    database_url
        `postgresql://…` of a real installation; None: the private cluster in `state_dir`.
    state_dir
        Folder of the private PostGIS cluster, its socket and its log.
    sample_dir
        Folder of the sample township's files.
    assets_dir
        Folder into which the set-up step installed the browser assets.
    language
        Language of texts where nobody chose one: `zh` or `en`.
    open_role
        Role of everybody who opens the dashboard while no sign-in is configured: `viewer` or `editor`.
    zone
        The township's clock; a day and a month end at its midnight.
    household_cap
        Households that one area grid may hold.
    near_cap_share
        Share of the cap from which a grid counts as near the cap.
    checkpoint_reach_m
        Metres within which a check-in counts as a visit of a checkpoint (phones err by 10-20 m, indoors more).
    fix_accuracy_m
        Metres by which a GPS fix may be off that does not say so.
    patrol_max_speed_kmh
        No patrol is faster, on whatever wheels: bounds where it can have been between two fixes.
    far_checkin_m
        A check-in farther than this from every checkpoint is counted as far away, not as beside the place.
    patrolled_days
        So many days are looked back for the last patrol past each home.
    patrol_pass_m
        Metres along the paths within which a patrol passes a home.
    long_unpatrolled_days
        A home that nobody passed for so many days was passed long ago.
    cover_reach_m
        Metres in a straight line within which a household counts as covered by a checkpoint.
    service_minutes
        Minutes on foot of the service circle (15分钟为民服务圈).
    walking_kmh
        Kilometres an hour of somebody on foot.
    circle_land_m
        Metres beside a path within reach that maps shade as the circle.
    path_attach_m
        Farther from any path than this a home is not matched to the network.
    path_snap_m
        Ends of paths closer than this are one junction.
    heat_bandwidth_m
        Standard deviation of the dispute density surface, in metres.
    heat_cell_m
        Cell width of the density surface, in metres.
    hotspot_alpha
        Share of the grids called hot or cold that may be so by chance.
    hotspot_min_households
        A grid with fewer is too few to say, whatever happened there.
    hotspot_min_expected
        With fewer incidents to expect in a grid and its neighbours, that nothing was found proves nothing.
    hotspot_permutations
        Draws for the p-values that are drawn by chance; the smallest p is 1 ÷ (draws + 1).
    hotspot_seed
        Where chance starts, so that a report comes out again to the digit.
    trend_months
        The trend looks back so many months, or the whole span where that is longer.
    trend_min_months
        With fewer months that have incidents no trend is told.
    trend_persistent_share
        A hot grid that has more than its share in this share of the months is persistent.
    repeat_m, repeat_days
        Incidents nearer than so many metres, at most so many days apart, are near repeats.
    due_soon_hours
        An open incident due within so many hours counts as due soon.
    late_record_hours
        A fact that was recorded more than so many hours after it happened counts as late in the monthly review.
    office_hours
        Hours of a working day, such as `08:30-12:00,14:30-17:30`.
    calendar_file
        TOML file with years of days off and made-up days, over those that come with the program; empty for none.
    deadlines
        How long what may take: `what[.urgency][.category]=span`, the most exact one counts. `accept`: until somebody signs;
        `member`, `grid`, `village`: at one level before it goes up by itself; `close`: in all. Spans: `2h` hours by the
        clock, `4wh` office hours, `7wd` working days of 24 hours.
    escalate_every_s
        Seconds between two looks of the server at incidents whose time ran out; 0: a timer calls `gridmap incidents escalate`.
    duplicate_m, duplicate_hours
        Reports of one category within so many metres and hours of each other are suggested as likely duplicates.
    intake_rate
        Requests that one source may send, such as `120/minute`; a burst counts in full.
    intake_resident_rate, intake_grid_rate
        Reports from residents' forms that one address, and one grid's form, may send.
    intake_stranger_rate
        Requests without a right token that one address may send.
    intake_clock_skew_s
        Clocks of senders may be ahead by so many seconds; what "happened" later than that is refused.
    intake_max_json_kb, intake_max_body_mb
        Largest JSON, and largest request with photos.
    intake_max_photos, intake_max_photo_mb, intake_photo_mpx
        Photos of one report, size of each, and its largest number of pixels in millions.
    intake_photo_px
        Longer side of a photo as it is kept.
    drawn_tolerance_m
        Widest sliver between hand-drawn grids and units that counts as a slip of the hand.
    fair_alpha
        Share of false findings that is accepted among the grids called higher or lower than expected.
    fair_interval_share
        How much of the true ratios and of next month's counts the intervals of the fair comparison shall hold.
    point_prior
        Points of the township's mean that everybody starts the ranking with, so that a month that offered little neither tops
        nor ends it.
    point_grades
        Per cent of the points offered from which a month is excellent, good and fair (优秀、良好、合格).
    roster_stale_days, roster_stale_percent
        A household not looked after for so many days is stale; a grid with more than so many per cent of them is to be updated.
    ledger_link_m, ledger_link_hours
        An incident so near a checkpoint, by the same person that day or so few hours from a visit, is linked to it.
    disputes_a_month, things_a_year
        Disputes that a grid shall settle a month, practical things that it shall do a year.
    public_hidden_below
        Counts of private matters below this are hidden from everybody who does not handle them, also on posted sheets (2 would hide only 1).
    barrier_slip_m
        How far a river or a road may be drawn beside the unit border that it follows.
    max_file_mb
        Largest file that an import reads, in megabytes.
    wall_refresh_s
        Seconds between two looks of the wall at the data version.
    wecom_address
        Where the work platform (企业微信) answers: its own address, or a relay in the intranet.
    wecom_corp_id, wecom_secret
        The corporation and the secret of the app that may read its reports; empty: nothing is pulled. Never logged.
    wecom_proxy
        HTTP proxy on the way there; empty for none.
    wecom_timeout_s
        Seconds to wait for each answer of the platform.
    wecom_pull_minutes
        Minutes between two pulls of `gridmap wecom pull`.
    wecom_overlap_minutes
        A pull asks again for what was modified so many minutes before the one before it began: clocks differ.
    wecom_grids_hours
        Hours after which the platform's grid tree is read again.
    wecom_cases_file
        TOML or JSON file, `"name on the platform" = "category code"`: categories that it calls otherwise; empty for none.
    wecom_datum
        Datum of the positions of its orders: `gcj02`, `wgs84`, `cgcs2000` or `bd09`.
    grid_members
        Members that the team of an area grid has beside its chief; a team with fewer has vacancies.
    public_url
        Address under which residents' phones reach the program, such as `https://grid.example.gov.cn`; it stands in the QR
        codes of the posters. Empty: posters need it named.
    """

    database_url: str | None = None
    state_dir: Path = PROJECT_DIR / "var"
    sample_dir: Path = PROJECT_DIR / "data" / "sample"
    assets_dir: Path = PROJECT_DIR / "node_modules"
    language: str = "zh"
    open_role: str = "viewer"
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    household_cap: int = 100
    near_cap_share: float = 0.9
    checkpoint_reach_m: float = 60.0
    fix_accuracy_m: float = 20.0
    patrol_max_speed_kmh: float = 40.0
    far_checkin_m: float = 5000.0
    patrolled_days: int = 60
    patrol_pass_m: float = 100.0
    long_unpatrolled_days: int = 30
    cover_reach_m: float = 300.0
    service_minutes: int = 15
    walking_kmh: float = 4.5
    circle_land_m: float = 80.0
    path_attach_m: float = 300.0
    path_snap_m: float = 0.5
    heat_bandwidth_m: float = 250.0
    heat_cell_m: float = 50.0
    hotspot_alpha: float = 0.05
    hotspot_min_households: int = 10
    hotspot_min_expected: float = 5.0
    hotspot_permutations: int = 199
    hotspot_seed: int = 1
    trend_months: int = 12
    trend_min_months: int = 8
    trend_persistent_share: float = 2 / 3
    repeat_m: float = 200.0
    repeat_days: int = 14
    due_soon_hours: int = 24
    late_record_hours: int = 24
    office_hours: str = "08:30-12:00,14:30-17:30"
    calendar_file: str = ""
    deadlines: str = "accept=1wd accept.urgent=2h member=2wd grid=2wd village=2wd close=7wd"
    escalate_every_s: float = 60.0
    duplicate_m: float = 200.0
    duplicate_hours: float = 72.0
    intake_rate: str = "120/minute"
    intake_resident_rate: str = "10/hour"
    intake_grid_rate: str = "30/hour"
    intake_stranger_rate: str = "30/minute"
    intake_clock_skew_s: int = 300
    intake_max_json_kb: int = 256
    intake_max_body_mb: int = 24
    intake_max_photos: int = 4
    intake_max_photo_mb: int = 12
    intake_photo_mpx: int = 64
    intake_photo_px: int = 1600
    drawn_tolerance_m: float = 2.5
    fair_alpha: float = 0.05
    fair_interval_share: float = 0.9
    point_prior: int = 20
    point_grades: str = "90 75 60"
    roster_stale_days: int = 180
    roster_stale_percent: int = 15
    ledger_link_m: float = 150.0
    ledger_link_hours: float = 2.0
    disputes_a_month: int = 1
    things_a_year: int = 3
    public_hidden_below: int = 3
    barrier_slip_m: float = 0.5
    max_file_mb: int = 50
    wall_refresh_s: float = 2.0
    wecom_address: str = "https://qyapi.weixin.qq.com"
    wecom_corp_id: str = ""
    wecom_secret: str = field(default="", repr=False)
    wecom_proxy: str = field(default="", repr=False)
    wecom_timeout_s: float = 20.0
    wecom_pull_minutes: float = 5.0
    wecom_overlap_minutes: float = 10.0
    wecom_grids_hours: float = 24.0
    wecom_cases_file: str = ""
    wecom_datum: str = "gcj02"
    grid_members: int = 3
    public_url: str = ""


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise InputError(f"`{name}` must be a number, got `{value}`. Correct it in the environment.") from error


@cache
def settings() -> Settings:
    """Return the settings of this process, read once from variables named `GRIDMAP_<NAME>`.

    Raises
    ------
    InputError
        If a variable holds a value that its setting cannot take.
    """
    defaults = Settings()
    given: dict[str, object] = {}
    for name in Settings.__dataclass_fields__:
        variable = f"GRIDMAP_{name.upper()}"
        value = os.environ.get(variable, "").strip()
        if not value:
            continue
        default = getattr(defaults, name)
        if isinstance(default, Path):
            given[name] = Path(value).expanduser().resolve()
        elif isinstance(default, int):
            given[name] = int(_number(variable, value))
        elif isinstance(default, float):
            given[name] = _number(variable, value)
        elif name == "zone":
            given[name] = ZoneInfo(value)
        else:
            given[name] = value
    given.setdefault("open_role", "viewer" if given.get("database_url") else "editor")
    chosen = Settings(**given)  # type: ignore[arg-type]
    if chosen.language not in LANGUAGES:
        raise InputError(f"`GRIDMAP_LANGUAGE` must be one of {LANGUAGES}, got `{chosen.language}`.")
    if chosen.open_role not in ROLES:
        raise InputError(f"`GRIDMAP_OPEN_ROLE` must be one of {ROLES}, got `{chosen.open_role}`.")
    return chosen
