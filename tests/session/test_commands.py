from __future__ import annotations

import pytest

from eatrack_edge.core.errors import UsageError
from eatrack_edge.session.commands import Command, Quit, RestoreTemplate, Select, SelectPoint, Stop, parse_command


@pytest.mark.parametrize(
    ("line", "command"),
    [
        pytest.param("select 10,20,30,40", Select((10, 20, 30, 40)), id="box"),
        pytest.param("select 10,20.5,30,40 117\n", Select((10, 20.5, 30, 40), 117), id="box on a frame"),
        pytest.param("point 10,20.5", SelectPoint(10, 20.5), id="point"),
        pytest.param("point 10,20.5 117", SelectPoint(10, 20.5, 117), id="point on a frame"),
        pytest.param("restore 0", RestoreTemplate(0), id="template"),
        pytest.param("stop", Stop(), id="stop"),
        pytest.param(" quit ", Quit(), id="quit"),
    ],
)
def test_a_line_is_a_command(line: str, command: Command) -> None:
    parsed = parse_command(line)
    assert (type(parsed), parsed) == (type(command), command)


@pytest.mark.parametrize(
    "line", ["", "select", "select 1,2,3", "point 1,2,3,4", "point 1", "point nan,2", "select 1,2,3,4 5 6", "point 1,2 x", "stop now", "restore", "restore -1", "restore 1 2", "fly"]
)  # fmt: skip
def test_another_line_is_refused_with_what_there_is(line: str) -> None:
    with pytest.raises(UsageError, match="not a command: ") as caught:
        parse_command(line)
    assert caught.value.hint == "commands are: select x,y,w,h [frame]; point x,y [frame]; restore number; stop; quit"
