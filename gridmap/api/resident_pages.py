"""The pages that residents see: the form, the answer, the state of a report."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from starlette.responses import Response

from gridmap.actions.arrivals import MAX_PLACE, MAX_TEXT
from gridmap.api.markup import filled, head, joined, page, script_words
from gridmap.reports.contacts import Team
from gridmap.settings import settings
from gridmap.texts import language, t

if TYPE_CHECKING:
    from gridmap.api.residents import Written

_KINDS = ("hazard", "dispute", "request", "clue")
_SCRIPT_WORDS = (
    "place_looking", "place_found", "place_again", "place_insecure", "place_none", "place_denied", "place_lost",
    "photos_most", "photo_one", "error_category", "error_offline", "sending",
)  # fmt: skip
_FORM = Markup("""{head}<main><div class="wide">
<p id="said" class="note {fault_kind}" role="alert"{fault_hidden}>{fault}</p>
<div class="stack"><form id="report" class="stack" method="post" action="{action}" enctype="multipart/form-data" autocomplete="off">
<fieldset class="panel choice"><legend>{what}</legend>
{radios}<div class="tiles">{tiles}</div>
{chips}</fieldset>
<div class="panel"><label class="label" for="text">{tell}</label>
<textarea id="text" name="text" maxlength="{max_text}" placeholder="{tell_hint}">{text}</textarea>
<p class="quiet">{tell_note}</p></div>
<div class="panel stack"><div><label class="label" for="place">{where} <small>{optional}</small></label>
<input type="text" id="place" name="place" maxlength="{max_place}" placeholder="{where_hint}" value="{place}"></div>
<div class="stack" hidden><button type="button" id="ask_place">◎ {use_place}</button><p id="place_said" class="quiet" role="status"></p></div></div>
<div class="panel stack"><div><span class="label">{photo} <small>{optional}</small></span>
<div class="photo"><input type="file" id="photo" name="photo" accept="image/*" multiple aria-label="{photo}"><span class="button photo-button" aria-hidden="true">＋ {take_photo}</span></div></div>
<div id="thumbs" class="thumbs"></div></div>
<button type="submit" class="main">{submit}</button>
<p class="quiet">{anonymous}</p>
<input type="hidden" name="key" value="{key}">
<input type="hidden" name="lng" value="{lng}"><input type="hidden" name="lat" value="{lat}"><input type="hidden" name="accuracy_m" value="{accuracy_m}">
<div class="trap" aria-hidden="true"><label>{trap}<input type="text" name="website" tabindex="-1"></label></div>
</form>
<p class="note wait">{urgent}</p>
<section class="panel"><h2>{team}</h2><ul class="people">{people}</ul></section>
<a class="button" href="/r/state?lang={lang}">{ask_state}</a>
</div></div></main>""")
_RADIO = Markup('<input type="radio" name="kind" id="kind-{kind}" value="{kind}"{checked} required>\n')
_TILE = Markup('<label class="tile" for="kind-{kind}">{name}<small>{help}</small></label>\n')
_CHIPS = Markup('<div class="chips of-{kind}" role="group" aria-label="{name}">{chips}</div>\n')
_CHIP = Markup(
    '<input type="radio" name="category" id="c-{code}" value="{code}"{checked}><label class="chip" for="c-{code}">{name}</label>\n'
)
_PERSON = Markup('<li class="{role}"><small>{role_words}</small><b>{name}</b></li>')
_THANKS = Markup("""{head}<main><div class="wide stack">
<section class="panel stack done" role="status"><p>{thanks}</p><p class="number" id="number">{number}</p><p>{keep}</p></section>
<section class="panel"><dl class="facts">{facts}</dl></section>
{notes}
<a class="button main" href="/r/state?number={number}&amp;lang={lang}">{ask_state}</a>
<a class="button" href="{again_href}">{again}</a>
</div></main>""")
_FACT = Markup("<dt>{name}</dt><dd>{value}</dd>")
_NOTE = Markup('<p class="note {kind}">{words}</p>')
_STATE = Markup("""{head}<main><div class="wide stack">
<form class="panel stack" method="get" action="/r/state">
<div><label class="label" for="number">{number_label}</label>
<input type="text" id="number" name="number" maxlength="60" required autocapitalize="characters" value="{number}"></div>
<button type="submit" class="main">{ask}</button><input type="hidden" name="lang" value="{lang}"></form>
{found}<p class="quiet">{only_state}</p>
</div></main>""")
_FOUND = Markup(
    '<section class="panel" role="status"><h2>{number}</h2><p class="number" id="state">{sign} {state}</p></section>'
)
_TOLD = Markup('{head}<main><div class="wide stack"><p class="note alarm" role="alert">{words}</p>{way}</div></main>')
_WAY = Markup('<a class="button" href="/r/state?lang={}">{}</a>')


def form(
    team: Team,
    categories: Sequence[Mapping[str, Any]],
    *,
    key: str,
    written: "Written",
    fault: str = "",
    status_code: int = 200,
) -> Response:
    """Return the form of a grid, filled in as it was sent where something is missing.

    Parameters
    ----------
    team
        Of the grid.
    categories
        The list in force: `code`, `name`, `kind`.
    key
        Under which what is sent is recorded once.
    written
        What stands in the fields.
    fault
        What is wrong with it; empty: nothing.
    status_code
        Of the answer.
    """
    chosen_kind = next((str(one["kind"]) for one in categories if one["code"] == written.category), "")
    offered = [kind for kind in _KINDS if any(one["kind"] == kind for one in categories)]
    position = written.position
    people = [*(("chief", one.name) for one in team.heads), *(("member", one.name) for one in team.members)]
    body = filled(
        _FORM,
        head=head(title=team.name, above=t("field.scan_title"), path=f"/r/{team.code}"),
        fault=f"{fault} {t('field.photos_again')}" if fault and written.photos else fault,
        fault_kind="alarm" if fault else "wait",
        fault_hidden=Markup("") if fault else Markup(" hidden"),
        action=f"/r/{team.code}?lang={language()}",
        key=key,
        lng="" if position is None else position.lng,
        lat="" if position is None else position.lat,
        accuracy_m="" if position is None or position.accuracy_m is None else position.accuracy_m,
        trap=t("field.trap"),
        what=t("field.what"),
        radios=joined([filled(_RADIO, kind=kind, checked=_checked(kind == chosen_kind)) for kind in offered]),
        tiles=joined(
            [
                filled(_TILE, kind=kind, name=t(f"field.kind_{kind}"), help=t(f"field.kind_{kind}_help"))
                for kind in offered
            ]
        ),
        chips=joined([_chips(kind, categories, written.category) for kind in offered]),
        tell=t("field.tell"),
        tell_hint=t("field.tell_hint"),
        tell_note=t("field.tell_note"),
        text=written.text,
        max_text=MAX_TEXT,
        where=t("field.where"),
        where_hint=t("field.where_hint"),
        place=written.place,
        max_place=MAX_PLACE,
        use_place=t("field.use_place"),
        optional=t("field.optional"),
        photo=t("field.photo"),
        take_photo=t("field.take_photo"),
        submit=t("field.submit"),
        anonymous=t("field.anonymous"),
        urgent=t("field.poster_urgent"),
        team=t("field.team"),
        people=joined(
            [filled(_PERSON, role=role, role_words=t(f"contacts.role_{role}"), name=name) for role, name in people]
        )
        or t("contacts.vacant"),
        ask_state=t("field.ask_state"),
        lang=language(),
    )
    given = {
        "words": script_words(*_SCRIPT_WORDS),
        "max_photos": settings().intake_max_photos,
        "photo_px": settings().intake_photo_px,
    }
    return page(
        title=f"{team.name} {t('field.scan_title')}",
        body=body,
        given=given,
        scripts=("dom.js", "resident.js"),
        status_code=status_code,
    )


def _checked(is_checked: bool) -> Markup:  # noqa: FBT001  one plain question
    return Markup(" checked") if is_checked else Markup("")


def _chips(kind: str, categories: Sequence[Mapping[str, Any]], chosen: str) -> Markup:
    chips = [
        filled(_CHIP, code=one["code"], name=one["name"], checked=_checked(one["code"] == chosen))
        for one in categories
        if one["kind"] == kind
    ]
    return filled(_CHIPS, kind=kind, name=t(f"field.kind_{kind}"), chips=joined(chips))


def thanks(team: Team, answer: Mapping[str, Any], *, status_code: int) -> Response:
    """Return the answer to a report: its number, what happens next, and how to ask for its state."""
    number = str(answer["number"])
    facts = [
        (t("field.fact_category"), answer["category"]),
        (t("field.fact_grid"), answer["grid_name"] or team.name),
        (t("field.fact_accept"), _moment(answer["accept_due_at"])),
        (t("field.fact_close"), _moment(answer["due_at"])),
    ]
    notes = [filled(_NOTE, kind="wait", words=words) for words in answer["warnings"]]
    if answer["duplicates"]:
        notes.append(filled(_NOTE, kind="", words=t("field.alike", n=len(answer["duplicates"]))))
    body = filled(
        _THANKS,
        head=head(title=team.name, above=t("field.scan_title"), path=f"/r/{team.code}"),
        thanks=t("field.thanks"),
        number=number,
        keep=t("field.keep_number"),
        facts=joined([filled(_FACT, name=name, value=value) for name, value in facts]),
        notes=joined(notes),
        ask_state=t("field.ask_state"),
        again=t("field.report_another"),
        again_href=f"/r/{team.code}?lang={language()}",
        lang=language(),
    )
    return page(title=f"{number} {t('field.scan_title')}", body=body, given={"words": {}}, status_code=status_code)


def state(*, number: str, told: Mapping[str, Any] | None, is_asked: bool, status_code: int = 200) -> Response:
    """Return the page that tells how far a report is: state words and nothing of what it is about."""
    found = Markup("")
    if told is not None:
        found = filled(_FOUND, number=told["number"], state=told["state_words"], sign="○" if told["is_open"] else "✓")
    elif is_asked:
        found = filled(_NOTE, kind="alarm", words=t("field.error_number", number=number))
    body = filled(
        _STATE,
        head=head(title=t("field.ask_state"), above=t("field.scan_title"), path="/r/state"),
        number_label=t("field.number"),
        number=number,
        ask=t("field.ask"),
        found=found,
        only_state=t("field.only_state"),
        lang=language(),
    )
    return page(title=t("field.ask_state"), body=body, given={"words": {}}, status_code=status_code)


def told(words: str, *, status_code: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return a page with one sentence: what is wrong and what to do."""
    body = filled(
        _TOLD,
        head=head(title=t("field.scan_title"), above="", path="/r/state"),
        words=words,
        way=_WAY.format(language(), t("field.ask_state")),
    )
    return page(title=t("field.scan_title"), body=body, given={"words": {}}, status_code=status_code, headers=headers)


def _moment(written: str) -> str:
    """Return an instant of an answer as people say it, by the township's clock."""
    return t("field.before", at=f"{datetime.fromisoformat(written).astimezone(settings().zone):%Y-%m-%d %H:%M}")
