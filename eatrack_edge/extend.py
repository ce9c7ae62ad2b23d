"""Adding your own: a decorator for each kind of thing that the toolkit looks up by name.

A package can also announce its own without being imported first, by an entry point in the group
``eatrack_edge.sources``, ``.outputs``, ``.backends``, ``.datasets``, ``.baselines``, ``.models``,
``.template_policies``, ``.motion_models`` or ``.refinements``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

T = TypeVar("T")


def register_source(scheme: str) -> Callable[[T], T]:
    """Add a source for URIs that begin with ``scheme://``: a function (uri, ``SourceOptions``) -> ``Source``."""
    return _register("sources.registry:SOURCES", scheme)


def register_output(form: str) -> Callable[[T], T]:
    """Add an output form: a class with ``suffixes`` and a class method ``open(path, run)``, see ``outputs.base``."""
    return _register("outputs.registry:OUTPUTS", form)


def register_backend(name: str) -> Callable[[T], T]:
    """Add a backend: a function (model, threads) -> ``inference.backend.Backend``."""
    return _register("inference.registry:BACKENDS", name)


def register_dataset(name: str) -> Callable[[T], T]:
    """Add a dataset layout: a function (root folder) -> ``datasets.sequence.Dataset``."""
    return _register("datasets.registry:DATASETS", name)


def register_baseline(name: str) -> Callable[[T], T]:
    """Add a baseline to compare with: an ``evaluation.baselines.base.Baseline``."""
    return _register("evaluation.baselines.registry:BASELINES", name)


def register_model(name: str) -> Callable[[T], T]:
    """Add a network: a ``model.architecture.Architecture``. Needs torch."""
    return _register("model.registry:MODELS", name)


def register_template_policy(name: str) -> Callable[[T], T]:
    """Add a template policy: a class made with ``TemplateSettings``, see ``tracking.templates.TemplatePolicy``."""
    return _register("tracking.templates:TEMPLATE_POLICIES", name)


def register_motion_model(name: str) -> Callable[[T], T]:
    """Add a motion model: a class made with ``MotionSettings``, see ``tracking.motion.MotionModel``."""
    return _register("tracking.motion:MOTION_MODELS", name)


def register_refinement(name: str) -> Callable[[T], T]:
    """Add a refinement: a class made with ``RefinementSettings``, see ``tracking.refinement.Refinement``."""
    return _register("tracking.refinement:REFINEMENTS", name)


def _register(registry: str, name: str) -> Callable[[T], T]:
    module, _, attribute = registry.partition(":")
    found: Any = getattr(import_module(f"eatrack_edge.{module}"), attribute)
    add: Callable[[T], T] = found.register(name)
    return add
