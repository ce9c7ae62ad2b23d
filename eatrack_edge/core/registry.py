"""One registry for every kind of thing that can be added: sources, outputs, backends, datasets, baselines, models.

What the project brings is one line in a table, ``"name": "package.module:attribute"``, and is imported on demand.
Other packages add theirs with ``Registry.register``, or as an entry point that is found without an import:

    [project.entry-points."eatrack_edge.sources"]
    rosbag = "my_package.rosbag:open_rosbag"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from eatrack_edge.core.errors import UsageError, did_you_mean

T = TypeVar("T")


class Registry(Generic[T]):
    """Things of one kind by name.

    Args:
        kind: What they are, for messages, such as ``backend``.
        built_in: Name to the thing itself, or to ``module:attribute`` where it is to be imported on demand.
        hint: Ends the hint of an unknown name; empty for none.

    Attributes:
        group: The entry point group that other packages use, such as ``eatrack_edge.backends``.

    >>> shapes = Registry("shape", {"circle": "math:tau"})
    >>> round(shapes.get("circle"), 2)
    6.28
    """

    def __init__(self, kind: str, built_in: Mapping[str, T | str], *, hint: str = "") -> None:
        self.group = f"eatrack_edge.{kind.replace(' ', '_')}s"
        self._kind = kind
        self._hint = hint
        self._built_in: dict[str, T | str] = dict(built_in)
        self._registered: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorate what is to be known as ``name``.

        Args:
            name: Unique among its kind.

        Raises:
            UsageError: The name is taken.
        """

        def add(thing: T) -> T:
            if name in self:
                raise UsageError(f"there is a {self._kind} called `{name}` already", hint="choose another name")
            self._registered[name] = thing
            return thing

        return add

    def unregister(self, name: str) -> None:
        """Forget what ``register`` added."""
        del self._registered[name]

    def get(self, name: str) -> T:
        """The thing called ``name``.

        Raises:
            UsageError: Nothing is called so; the hint names the nearest.
        """
        if name in self._registered:
            return self._registered[name]
        if name in self._built_in:
            found = self._built_in[name]
            return cast("T", _imported(found)) if isinstance(found, str) else found
        if name in self._entry_points:
            return cast("T", self._entry_points[name].load())
        raise self.unknown(name)

    def unknown(self, name: str) -> UsageError:
        """The error for a name that nothing has."""
        kinds = f"{self._kind[:-1]}ies" if self._kind.endswith("y") else f"{self._kind}s"
        otherwise = f"known {kinds}: {{}}" + (f"; {self._hint}" if self._hint else "")
        return UsageError(f"no {self._kind} called `{name}`", hint=did_you_mean(name, self.names(), otherwise))

    def names(self) -> tuple[str, ...]:
        """All names: the built-in ones in the order of their table, then those of other packages."""
        return tuple(dict.fromkeys((*self._built_in, *self._registered, *self._entry_points)))

    def __contains__(self, name: str) -> bool:
        return name in self._built_in or name in self._registered or name in self._entry_points

    @cached_property
    def _entry_points(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}


def _imported(reference: str) -> object:
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)
