"""Evaluation protocols by name: the scoring rules of OTB, pysot, pytracking, GOT-10k and others.

Every toolkit runs the tracker once from the first frame, computes a curve per sequence and takes the unweighted mean
over sequences. They differ in the rules below, and by up to three points on the same boxes. ``metrics`` is the one
implementation and reads this table. Unusual rules are the toolkit's own:

- OTB's Matlab and pysot give an absent target a centre error of -1, so every tracker is *precise* while the target
  is absent. pytracking and its forks do so only for the dataset they call ``uav``: 2.6 points on UAV123.
- OTB's repair is ``if (isnan(r) | r(3)<=0 | r(4)<=0) & ~isnan(truth)``, and Matlab's ``if`` on a vector holds when
  every element does: all four numbers NaN, or an empty box, on a frame whose truth has no NaN.
- UAVDT's published precision (CFNet .681) comes out only when an empty box is left as it is, hence ``uavdt``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from eatrack_edge.core.errors import UsageError, did_you_mean

DEFAULT_PROTOCOL = "otb"

Validity = Literal["xywh>0", "wh>0", "centre>0", "not nan"]
AbsentError = Literal["precise", "imprecise", "removed"]


@dataclass(frozen=True, slots=True)
class Protocol:
    """The scoring rules of one toolkit."""

    name: str
    toolkit: str  # the toolkit's name for reports
    first_frame: Literal["replaced", "kept"]  # whether the first prediction is replaced by the true box
    overlap_valid: Validity  # which true boxes count as present for the overlap; elsewhere every threshold fails
    centre_valid: Validity  # the same for the centre error
    absent_centre: AbsentError  # what the centre error is where the target is absent
    absent_normalised: AbsentError  # the same for the normalised centre error
    repair: Literal["nan or empty", "nan", "zero side", "none"]  # predictions replaced by the previous frame's
    short_result: Literal["cut", "zeros"]  # how frames missing at the end of a result file are filled
    normalised_score: Literal["at 0.20", "mean"]  # one point of the normalised curve, or the mean of all 51
    is_absent_removed: bool = False  # leave absent frames out of the denominator as well
    is_flag_removed: bool = True  # frames that the dataset flags absent always fail and are imprecise
    is_empty_flagged: bool = False  # a true box without size counts as flagged: LaSOT flags all of its own
    refuses_invalid: bool = False  # NaN and negative sides in a prediction are an error


_OTB = Protocol(
    name="otb",
    toolkit="OTB Matlab toolkit, as UAV123, DTB70 and VisDrone-SOT use it",
    first_frame="replaced",
    overlap_valid="xywh>0",
    centre_valid="xywh>0",
    absent_centre="precise",
    absent_normalised="precise",
    repair="nan or empty",
    short_result="cut",
    normalised_score="at 0.20",
    is_flag_removed=False,
)
_PYTRACKING = Protocol(
    name="pytracking",
    toolkit="pytracking, for every dataset but the one it calls `uav`",
    first_frame="replaced",
    overlap_valid="xywh>0",
    centre_valid="xywh>0",
    absent_centre="imprecise",
    absent_normalised="precise",
    repair="zero side",
    short_result="zeros",
    normalised_score="at 0.20",
    refuses_invalid=True,
)

PROTOCOLS = {
    row.name: row
    for row in (
        _OTB,
        replace(_OTB, name="uavdt", toolkit="UAVDT Matlab toolkit: OTB's, but an empty box is kept", repair="nan"),
        Protocol(
            name="pysot",
            toolkit="pysot-toolkit",
            first_frame="kept",
            overlap_valid="xywh>0",
            centre_valid="centre>0",
            absent_centre="precise",
            absent_normalised="precise",
            repair="none",
            short_result="cut",
            normalised_score="at 0.20",
        ),
        _PYTRACKING,
        replace(
            _PYTRACKING, name="pytracking_uav", toolkit="pytracking, for its dataset `uav`", absent_centre="precise"
        ),
        replace(
            _PYTRACKING,
            name="ostrack",
            toolkit="OSTrack and its forks, for every dataset but the one they call `uav`",
            overlap_valid="wh>0",
            centre_valid="wh>0",
        ),
        Protocol(
            name="got10k",
            toolkit="got10k-toolkit",
            first_frame="replaced",
            overlap_valid="not nan",
            centre_valid="not nan",
            absent_centre="removed",
            absent_normalised="removed",
            repair="none",
            short_result="cut",
            normalised_score="mean",
            is_absent_removed=True,
        ),
        replace(
            _OTB,
            name="lasot",
            toolkit="LaSOT Matlab toolkit, ranking_type 'threshold'",
            is_flag_removed=True,
            is_empty_flagged=True,
        ),
    )
}


def protocol(name: str) -> Protocol:
    """The protocol called ``name``.

    Raises:
        UsageError: There is none of that name.

    >>> protocol("pysot").first_frame
    'kept'
    """
    if name not in PROTOCOLS:
        raise UsageError(f"no protocol called `{name}`", hint=did_you_mean(name, PROTOCOLS, "known protocols: {}"))
    return PROTOCOLS[name]
