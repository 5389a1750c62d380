"""The still map: only what the program serves, names as text."""

import re

from gridmap.maps.leaflet import still_map

BOUNDS = (114.1, 27.8, 114.3, 28.0)


def _script(**urls: str) -> str:
    drawn = still_map(bounds=BOUNDS, urls=urls)
    drawn.get_root().render()
    script: str = drawn.get_root().script.render()
    return script


def test_layers_are_fetched_by_their_address_only():
    script = _script(water="/map/1/water-ab.json", labels="/map/1/labels-cd.json")
    assert re.findall(r'fetch\("([^"]+)"\)', script) == ["/map/1/water-ab.json", "/map/1/labels-cd.json"]
    assert not re.findall(r"https?://", script)


def test_names_are_set_as_text():
    script = _script(labels="/map/1/labels-cd.json")
    assert "name.textContent = one.properties.name" in script
    assert "innerHTML" not in script


def test_a_layer_that_is_missing_is_not_asked_for():
    assert "fetch(" not in _script()
