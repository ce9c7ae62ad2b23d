from __future__ import annotations

import errno
import io
from pathlib import Path

import pytest

from eatrack_edge.core.errors import OutputError
from eatrack_edge.outputs.output_file import FileOutput, OutputFile, PatientStream


class _Failing(io.BytesIO):
    """A stream that fails when told to, as a disk that fills up while a file is open."""

    failing: frozenset[str] = frozenset()

    def _check(self, what: str) -> None:
        if what in self.failing:
            raise OSError(errno.ENOSPC, "No space left on device")

    def write(self, data) -> int:
        self._check("write")
        return super().write(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._check("seek")
        return super().seek(offset, whence)

    def close(self) -> None:
        self._check("close")
        super().close()


def _output(tmp_path: Path, *failing: str) -> OutputFile:
    output = OutputFile(tmp_path / "out")
    output.stream.close()
    output.stream = _Failing()
    output.stream.failing = frozenset(failing)
    return output


def _failing_at_close(tmp_path: Path) -> FileOutput:
    output = FileOutput(tmp_path / "x")
    output._file.close()
    output._file = _output(tmp_path, "close")
    return output


def test_a_disk_that_fills_up_at_the_very_end_is_reported(tmp_path: Path) -> None:
    output = _failing_at_close(tmp_path)
    with pytest.raises(OutputError, match="cannot be written: no space left on device"):
        output.finish(None)
    output._file.stream.failing = frozenset()


def test_an_error_at_the_end_does_not_hide_an_earlier_one(tmp_path: Path) -> None:
    output = _failing_at_close(tmp_path)
    output.finish(KeyboardInterrupt())
    output._file.stream.failing = frozenset()


def test_after_a_failed_write_closing_is_quiet(tmp_path: Path) -> None:
    output = _output(tmp_path, "write", "close")
    with pytest.raises(OutputError):
        output.write(b"x")
    output.close()
    output.stream.failing = frozenset()


def test_a_failure_without_a_number_keeps_its_words(tmp_path: Path) -> None:
    output = OutputFile(tmp_path / "out")
    with pytest.raises(OutputError) as caught, output.reporting(ValueError):
        raise ValueError("The encoder is unhappy")
    assert str(caught.value) == f"{tmp_path / 'out'}: cannot be written: the encoder is unhappy"
    output.close()


@pytest.mark.parametrize("first", ["write", "seek"])
def test_a_patient_stream_keeps_the_first_failure_and_goes_on_quietly(first: str) -> None:
    inner = _Failing()
    stream = PatientStream(inner)
    assert stream.write(b"abc") == 3
    assert (stream.seek(1), stream.tell()) == (1, 1)
    inner.failing = frozenset({first})
    _ = stream.write(b"def"), stream.seek(2)
    assert isinstance(stream.failure, OSError)
    assert (stream.write(b"gh"), stream.seek(9), stream.tell()) == (2, 9, 0)
