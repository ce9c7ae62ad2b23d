from __future__ import annotations

import doctest
import inspect
import pydoc
import subprocess
import sys

import pytest

import eatrack_edge

# What is promised. It grows only on purpose: a new name is added here, in the documentation and in the changelog.
PUBLIC = {
    *("Tracker", "TrackResult", "TrackState", "open_source", "open_output", "RunInfo"),
    *("TrackerSettings", "MotionSettings", "RecoverySettings", "TemplateSettings"),
    *("LifecycleSettings", "StateChange", "ReacquisitionSettings", "Candidate", "RefinementSettings"),
    *("EATrackError", "UsageError", "InputError", "ConfigError", "CheckpointError", "MachineError", "MissingExtra"),
    *("EngineMismatch", "OutputError", "GateFailed", "SourceLost"),
    *("register_source", "register_output", "register_backend", "register_dataset", "register_baseline"),
    *("register_model", "register_template_policy", "register_motion_model", "register_refinement", "__version__"),
}


def test_the_public_surface_is_what_is_promised() -> None:
    assert set(eatrack_edge.__all__) == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC - {"__version__"}))
def test_every_public_name_has_a_docstring(name: str) -> None:
    documented = getattr(eatrack_edge, name)
    assert inspect.getdoc(documented)


@pytest.mark.usefixtures("opened_once")
def test_the_example_of_the_package_runs() -> None:
    text = inspect.getdoc(eatrack_edge).replace("  # doctest: +SKIP", "")
    (example,) = doctest.DocTestParser().get_examples(text)[1:]
    printed: list[object] = []
    exec(  # the example, whole
        "from eatrack_edge import Tracker, open_source\n" + example.source, {"print": printed.append}
    )
    assert len(printed) == 2


def test_help_and_completion_show_the_public_surface_and_nothing_else() -> None:
    # Python 3.13 breaks long signatures into lines.
    text = pydoc.render_doc(eatrack_edge, renderer=pydoc.plaintext).replace("(\n        ", "(")
    for line in (
        "class Tracker(",
        "class TrackerSettings(",
        "open_source(uri:",
        "register_backend(name:",
        "update(self",
    ):
        assert line in text
    assert set(dir(eatrack_edge)) == PUBLIC


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, eatrack_edge; print([m for m in ('numpy', 'cv2', 'av', 'onnxruntime') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_misspelt_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Trakcer'"):
        _ = eatrack_edge.Trakcer
