"""The light maps of the office pages: one base map, and on it load, heat, or checkpoints and homes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.maps.deck import FONT_FAMILY, CachedDeck, View, by_property, deck, layer
from gridmap.maps.hatch import Line
from gridmap.maps.heat import HEAT_RAMP
from gridmap.maps.palette import LIGHT, rgba

Urls = Mapping[str, str]
Name = tuple[str, float, float]


@dataclass(frozen=True)
class MapGround:
    """What every office map stands on.

    Parameters
    ----------
    urls
        Name and address of the layers `areas`, `grids`, `water`, `paths`; one that is missing is not drawn.
    names
        Text, longitude, latitude of the names on the map.
    view
        Where to look.
    scale
        How much larger than on a desk its words are: seen from the back of a hall.
    """

    urls: tuple[tuple[str, str], ...]
    names: tuple[Name, ...]
    view: View
    scale: float = 1.0

    def layers(
        self, *, fill: Any, over: Sequence[Mapping[str, Any]] = (), top: Sequence[Mapping[str, Any]] = ()
    ) -> CachedDeck:
        """Return the deck: grids with a fill, the base map, `over` it the picture, then borders, `top`, names."""
        urls = dict(self.urls)
        return deck(
            [*_grids(urls, fill=fill), *_base(urls), *over, *_borders(urls), *top, *_names(self.names, self.scale)],
            view=self.view,
        )


# One hue for more than expected and one for fewer; grey is nothing known.
CLASS_COLOURS = {"hot": HEAT_RAMP[2], "cold": "#c3cdea", "too few to say": "#aab7c4", "not significant": "#ffffff"}
_SIGN_SIZES_PX = {"hot": 19, "cold": 11, "too few to say": 12}
_SIGNS_URL = "/assets/gridmap/signs-light.svg"
_CLASS_ALPHA = 0.85
CHECKPOINT_STATES = ("visited", "waiting", "missed", "never", "unknown")
CASE_MARKS = {
    "overdue": (LIGHT.alarm, 6.5),
    "late": (LIGHT.alarm, 4.5),
    "due_soon": (LIGHT.wait, 5.5),
    "running": (LIGHT.good, 4.5),
    "paused": (LIGHT.unknown, 4.5),
}
_MARK_CELL_PX = 128
_MARKS_URL = "/assets/gridmap/marks-light.svg"
_MARK_SIZES_PX = {"visited": 11, "waiting": 14, "missed": 18, "never": 22, "unknown": 13}
_PLAIN_GROUND = "#eef2f5"


def class_deck(
    ground: MapGround, *, classes: Sequence[str | None], places: Sequence[tuple[float, float]], chosen: str | None
) -> CachedDeck:
    """Return the map of grids by their class of hot spot: a colour and, but for the usual, a sign.

    Parameters
    ----------
    ground
        The base map.
    classes
        Of each grid in the order of its code, a key of `CLASS_COLOURS`; None: not shown.
    places
        Longitude and latitude of a point inside each, for its sign.
    chosen
        Code of the grid to be framed, None for none.
    """
    names = list(CLASS_COLOURS)
    steps = "".join("-" if name is None else str(names.index(name)) for name in classes)
    fill = _stepped(steps, [rgba(CLASS_COLOURS[name], _CLASS_ALPHA) for name in names], rgba(_PLAIN_GROUND, 1.0))
    return ground.layers(fill=fill, top=[_signs(classes, places), *_frame(dict(ground.urls), chosen)])


def load_deck(
    ground: MapGround,
    *,
    steps: str,
    colours: Sequence[str],
    chosen: str | None,
    hatch: Sequence[Line] = (),
    labels: Sequence[Name] = (),
) -> CachedDeck:
    """Return the map of grids coloured by one measure.

    Parameters
    ----------
    ground
        The base map.
    steps
        One sign a grid, in the order of its code: the step of its colour, `-` for unknown. Only this changes with the
        measure; the shapes stay in the browser.
    colours
        The colour of each step.
    chosen
        Code of the grid to be framed, None for none.
    hatch
        Lines over what is unknown, from `hatch_lines`.
    labels
        Text, longitude, latitude of what is written on the grids.
    """
    fill = _stepped(steps, [rgba(colour, 0.92) for colour in colours], rgba(LIGHT.unknown, 0.25))
    urls = dict(ground.urls)
    top = [*_frame(urls, chosen), *_texts("labels", labels, size=11 * ground.scale, weight=600)]
    return ground.layers(fill=fill, over=_hatch(hatch, ground.scale), top=top)


def heat_deck(ground: MapGround, *, image: str, corners: Sequence[Sequence[float]]) -> CachedDeck:
    """Return the heat map: a density picture over the base map.

    Parameters
    ----------
    ground
        The base map.
    image
        The picture as a data address, from `heat_image`.
    corners
        Its corners as longitude and latitude: south-west, north-west, north-east, south-east.
    """
    picture = {"@@type": "BitmapLayer", "id": "heat", "image": image, "bounds": [list(corner) for corner in corners]}
    return ground.layers(fill=rgba(_PLAIN_GROUND, 1.0), over=[picture])


def coverage_deck(
    ground: MapGround, *, households: gpd.GeoDataFrame, checkpoints: gpd.GeoDataFrame, lanes: gpd.GeoSeries
) -> CachedDeck:
    """Return the map of covered and uncovered homes and of checkpoints by state.

    Parameters
    ----------
    ground
        The base map.
    households
        Points in degrees with `is_covered`.
    checkpoints
        Points in degrees with `state`, one of `CHECKPOINT_STATES`.
    lanes
        Lines in degrees that nobody passed for long.
    """
    covered, uncovered = households[households["is_covered"]], households[~households["is_covered"]]
    return ground.layers(
        fill=rgba(_PLAIN_GROUND, 1.0),
        top=[
            _lanes(lanes),
            _homes(covered, "covered", LIGHT.unknown, alpha=0.55, radius_px=1.6),
            _homes(uncovered, "uncovered", LIGHT.alarm, alpha=0.95, radius_px=3.2),
            _checkpoints(checkpoints),
        ],
    )


def cases_deck(ground: MapGround, *, cases: gpd.GeoDataFrame, chosen: str | None) -> CachedDeck:
    """Return the map of open cases by how urgent they are, the chosen one framed.

    Parameters
    ----------
    ground
        The base map.
    cases
        Points in degrees, index the incident's code, with `mark`, one of `CASE_MARKS`.
    chosen
        Code of the case to be framed; None, or one without a place, for none.
    """
    ring = cases[cases.index == chosen]
    return ground.layers(
        fill=rgba(_PLAIN_GROUND, 1.0),
        top=[
            _homes(ring, f"chosen-{chosen}", LIGHT.strong, alpha=0.9, radius_px=10),
            *(
                _homes(cases[cases["mark"] == mark], f"cases-{mark}", colour, alpha=0.95, radius_px=radius)
                for mark, (colour, radius) in reversed(CASE_MARKS.items())
            ),
        ],
    )


def _stepped(steps: str, fills: Sequence[list[int]], otherwise: list[int]) -> str:
    """Return the accessor of a grid's fill: by the sign at its place in a text."""
    # deck.gl's expressions look into a text only when it stands in brackets.
    step = f'("{steps}")[properties.position]'
    cases = [f'{step} == "{at}" ? {fill}' for at, fill in enumerate(fills)]
    return "@@=" + " : ".join([*cases, str(otherwise)])


def _grids(urls: Urls, *, fill: Any) -> list[dict[str, Any]]:
    if "grids" not in urls:
        return []
    line = {"getLineColor": rgba("#8fa3b3", 0.9), "getLineWidth": 0.8, "lineWidthUnits": "pixels"}
    trigger = {"updateTriggers": {"getFillColor": [str(fill)]}}
    return [
        layer("GeoJsonLayer", "grids", urls["grids"], filled=True, stroked=True, getFillColor=fill, **line, **trigger)
    ]


def _frame(urls: Urls, chosen: str | None) -> list[dict[str, Any]]:
    if "grids" not in urls or chosen is None:
        return []
    shown = f'@@=properties.code == "{chosen}" ? {rgba(LIGHT.strong, 1)} : [0, 0, 0, 0]'
    return [
        layer(
            "GeoJsonLayer",
            f"chosen-{chosen}",
            urls["grids"],
            filled=False,
            stroked=True,
            getLineColor=shown,
            getLineWidth=3,
            lineWidthUnits="pixels",
            lineJointRounded=True,
        )
    ]


def _base(urls: Urls) -> list[dict[str, Any]]:
    layers = []
    if "paths" in urls:
        colour = by_property(
            "kind", {"road": rgba("#8c99a5", 0.9), "lane": rgba(LIGHT.path, 0.7)}, rgba(LIGHT.path, 0.4)
        )
        width = by_property("kind", {"road": 1.8, "lane": 1.0}, 0.7)
        layers.append(
            layer(
                "GeoJsonLayer", "paths", urls["paths"], getLineColor=colour, getLineWidth=width, lineWidthUnits="pixels"
            )
        )
    if "water" in urls:
        width = by_property("kind", {"river": 4.0, "canal": 1.2}, 0.5)
        water = {"getFillColor": rgba(LIGHT.water, 1), "getLineColor": rgba(LIGHT.water, 1), "getLineWidth": width}
        rounded = {"lineWidthUnits": "pixels", "lineCapRounded": True, "lineJointRounded": True}
        layers.append(layer("GeoJsonLayer", "water", urls["water"], filled=True, stroked=True, **water, **rounded))
    return layers


def _borders(urls: Urls) -> list[dict[str, Any]]:
    if "areas" not in urls:
        return []
    width = by_property("level", {"township": 2.4}, 1.6)
    colour = by_property("level", {"township": rgba("#3c4f60", 1)}, rgba("#5b7083", 0.9))
    return [
        layer(
            "GeoJsonLayer",
            "areas",
            urls["areas"],
            filled=False,
            stroked=True,
            getLineColor=colour,
            getLineWidth=width,
            lineWidthUnits="pixels",
            lineJointRounded=True,
        )
    ]


def _names(names: Sequence[Name], scale: float) -> list[dict[str, Any]]:
    return _texts("names", names, size=14 * scale, weight=600)


def _texts(identity: str, texts: Sequence[Name], *, size: float, weight: int) -> list[dict[str, Any]]:
    if not texts:
        return []
    rows = [{"text": text, "at": [round(x, 6), round(y, 6)]} for text, x, y in texts]
    return [
        layer(
            "TextLayer",
            identity,
            rows,
            getText="@@=text",
            getPosition="@@=at",
            getSize=round(size, 1),
            getColor=rgba(LIGHT.strong, 1),
            fontFamily=FONT_FAMILY.split(",")[1].strip(" '"),
            fontWeight=weight,
            characterSet="auto",
            # A radius wider than a stroke of a dense character never reaches full ink inside it, and hollows it out.
            fontSettings={"sdf": True, "fontSize": 64, "buffer": 10, "radius": 10},
            outlineWidth=4,
            outlineColor=rgba("#ffffff", 0.95),
        )
    ]


def _hatch(lines: Sequence[Line], scale: float) -> list[dict[str, Any]]:
    if not lines:
        return []
    rows = [{"way": line} for line in lines]
    width = {"getWidth": round(0.9 * scale, 2), "widthUnits": "pixels"}
    return [layer("PathLayer", "hatch", rows, getPath="@@=way", getColor=rgba(LIGHT.unknown, 0.75), **width)]


def _lanes(lines: gpd.GeoSeries) -> dict[str, Any]:
    rounded = shapely.transform(lines.to_numpy(), lambda xy: xy.round(6))
    return layer(
        "PathLayer",
        "lanes",
        [{"way": shapely.get_coordinates(line).tolist()} for line in rounded],
        getPath="@@=way",
        getColor=rgba(LIGHT.wait, 0.9),
        getWidth=4,
        widthUnits="pixels",
        capRounded=True,
        jointRounded=True,
    )


def _homes(
    households: gpd.GeoDataFrame, identity: str, colour: str, *, alpha: float, radius_px: float
) -> dict[str, Any]:
    at = np.round(np.column_stack([households.geometry.x, households.geometry.y]), 6).tolist()
    return layer(
        "ScatterplotLayer",
        identity,
        [{"at": place} for place in at],
        getPosition="@@=at",
        getFillColor=rgba(colour, alpha),
        getRadius=radius_px,
        radiusUnits="pixels",
    )


def _signs(classes: Sequence[str | None], places: Sequence[tuple[float, float]]) -> dict[str, Any]:
    cells = {
        name: {"x": at * _MARK_CELL_PX, "y": 0, "width": _MARK_CELL_PX, "height": _MARK_CELL_PX}
        for at, name in enumerate(_SIGN_SIZES_PX)
    }
    rows = [
        {"sign": name, "at": [round(x, 6), round(y, 6)], "size": _SIGN_SIZES_PX[name]}
        for name, (x, y) in zip(classes, places, strict=True)
        if name in _SIGN_SIZES_PX
    ]
    return layer(
        "IconLayer",
        "signs",
        rows,
        iconAtlas=_SIGNS_URL,
        iconMapping=cells,
        getIcon="@@=sign",
        getPosition="@@=at",
        getSize="@@=size",
        sizeUnits="pixels",
    )


def _checkpoints(checkpoints: gpd.GeoDataFrame) -> dict[str, Any]:
    cells = {
        state: {"x": at * _MARK_CELL_PX, "y": 0, "width": _MARK_CELL_PX, "height": _MARK_CELL_PX}
        for at, state in enumerate(CHECKPOINT_STATES)
    }
    worst_last = checkpoints.iloc[::-1]
    rows = [
        {"state": state, "at": [round(point.x, 6), round(point.y, 6)], "size": _MARK_SIZES_PX[state]}
        for state, point in zip(worst_last["state"], worst_last.geometry, strict=True)
    ]
    return layer(
        "IconLayer",
        "checkpoints",
        rows,
        iconAtlas=_MARKS_URL,
        iconMapping=cells,
        getIcon="@@=state",
        getPosition="@@=at",
        getSize="@@=size",
        sizeUnits="pixels",
    )


def measure_steps(values: pd.Series, *, bounds: Sequence[float]) -> str:
    """Return one character a value: how many of the rising bounds it has reached, `-` where it is unknown.

    Examples
    --------
    >>> measure_steps(pd.Series([0.0, 5.0, float("nan"), 12.0]), bounds=[5, 10])
    '01-2'
    """
    steps = np.searchsorted(np.asarray(bounds, dtype=float), values.to_numpy(dtype=float), side="right")
    return "".join("-" if missing else str(step) for step, missing in zip(steps, values.isna(), strict=True))
