"""What is kept between reruns: bounded, made once however many sessions ask at the same time.

Streamlit's own cache does the same at 70 times the price of a look-up (it inspects the function and hashes its
arguments at each call), and a wall looks up a dozen reports every two seconds.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any


class _Place:
    """One kept value, or the room where it is being made."""

    def __init__(self, version: Hashable) -> None:
        self.version = version
        self.making = Lock()
        self.is_filled = False
        self.value: Any = None


class Shelf:
    """Values by key, the newest version of each, the least recently used forgotten first.

    Parameters
    ----------
    capacity
        How many values are kept; above 0.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._places: OrderedDict[Hashable, _Place] = OrderedDict()
        self._arranging = Lock()

    def take(self, key: Hashable, make: Callable[[], Any], *, version: Hashable = None) -> Any:
        """Return the value of a key, making it when this version is not kept.

        A new version takes the place of the old one. What `make` raises is raised and nothing kept.
        """
        with self._arranging:
            place = self._places.get(key)
            if place is None or place.version != version:
                place = self._places[key] = _Place(version)
                self._places.move_to_end(key)
                while len(self._places) > self._capacity:
                    self._places.popitem(last=False)
            else:
                self._places.move_to_end(key)
        if place.is_filled:
            return place.value
        with place.making:
            if not place.is_filled:
                place.value = make()
                place.is_filled = True
        return place.value

    def clear(self) -> None:
        """Forget everything."""
        with self._arranging:
            self._places.clear()
