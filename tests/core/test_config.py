from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from eatrack_edge.core import config
from eatrack_edge.core.errors import ConfigError


@dataclass(frozen=True)
class Inner:
    factor: float = 2.0
    colour: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True)
class Recipe:
    model: str
    search_size: int = 256
    is_fast: bool = False
    folder: str | None = None
    names: tuple[str, ...] = ()
    inner: Inner = field(default_factory=Inner)
    many: tuple[Inner, ...] = ()

    def __post_init__(self) -> None:
        if self.search_size % 16:
            raise ConfigError(f"search_size must be a multiple of 16, got {self.search_size}", hint="try 256")


def load(tmp_path: Path, text: str) -> Recipe:
    path = tmp_path / "r.toml"
    path.write_text(text)
    return config.load(Recipe, path)


def test_reads_every_kind_of_field(tmp_path: Path) -> None:
    text = (
        'model = "a"\nsearch_size = 320\nis_fast = true\nfolder = "x"\nnames = ["p", "q"]\n'
        "[inner]\nfactor = 3\ncolour = [1, 2, 3]\n[[many]]\nfactor = 5.0\n"
    )
    expected = Recipe("a", 320, True, "x", ("p", "q"), Inner(3.0, (1, 2, 3)), (Inner(5.0),))
    assert load(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('model = "a"\nserach_size = 1', "unknown key `serach_size`\nhint: did you mean `search_size`?", id="misspelt"),
        pytest.param('model = "a"\n[inner]\nfacto = 1', "unknown key `inner.facto`\nhint: did you mean `inner.factor`?", id="misspelt in a table"),
        pytest.param('model = "a"\nzzz = 1', "unknown key `zzz`\nhint: known keys: model, search_size, is_fast, folder, names, inner, many", id="unknown"),
        pytest.param("search_size = 256", "missing key `model`", id="missing"),
        pytest.param("model = 3", "`model` must be str, got 3", id="another type"),
        pytest.param('model = "a"\nsearch_size = true', "`search_size` must be int, got True", id="boolean for a number"),
        pytest.param('model = "a"\nsearch_size = 2.5', "`search_size` must be int, got 2.5", id="fraction for an integer"),
        pytest.param('model = "a"\nnames = ["p", 1]', "`names[1]` must be str, got 1", id="inside a list"),
        pytest.param('model = "a"\n[inner]\ncolour = [1, 2]', "`inner.colour` must be array of length 3, got [1, 2]", id="too short"),
        pytest.param('model = "a"\n[[many]]\nfactor = "x"', "`many[0].factor` must be float, got 'x'", id="in a list of tables"),
        pytest.param('model = "a"\n[[many]]\nfacto = 1', "unknown key `many[0].facto`\nhint: did you mean `many[0].factor`?", id="misspelt in a list of tables"),
        pytest.param('model = "a"\ninner = 3', "`inner` must be table, got 3", id="no table"),
        pytest.param('model = "a"\nfolder = 3', "`folder` must be str, got 3", id="union"),
        pytest.param('model = "a"\nsearch_size = 250', "search_size must be a multiple of 16, got 250\nhint: try 256", id="refused by the recipe"),
    ],
)  # fmt: skip
def test_every_message_names_the_file_and_the_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert str(caught.value) == f"{tmp_path / 'r.toml'}: {message}"


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"r\.toml: "):
        load(tmp_path, "model = ")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: no such file or directory"):
        config.load(Recipe, tmp_path / "none.toml")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_number_that_is_not_finite_is_refused_in_every_recipe(tmp_path: Path, value: str) -> None:
    @dataclass(frozen=True)
    class Recipe:
        rate: float

    (tmp_path / "r.toml").write_text(f"rate = {value}\n")
    with pytest.raises(ConfigError, match=f"`rate` must be finite, got {value}"):
        config.load(Recipe, tmp_path / "r.toml")
