"""Re-acquisition: places are looked at one by one, and what is found there has to be verified in several frames.

The network knows the target when it looks in the right place, and answers with something in every other place too. So a
find is a *candidate* first. It is looked at again in each frame, with a search region of its own, and the verifier's
answers are averaged. The best candidate near the last box is accepted once they are clear; clearer ones after a cut to
a scene that is not recognised, less clear ones in a scene that is, if nothing else there is nearly as likely. One
farther away is only offered, because there are many more places for a look-alike. What was accepted is on probation for
a while: if the verifier thinks otherwise then, it is taken back. The box of a lost target stays where it was seen last.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from eatrack_edge.core.boxes import Box, has_centre_in, sides_between
from eatrack_edge.tracking.search_places import Place, search_places
from eatrack_edge.tracking.settings import ReacquisitionSettings
from eatrack_edge.tracking.verifier import probability

_KEPT = 3  # candidates at most: as many as a person can choose from at a glance
_ONE_PLACE = 1.0  # sides between the centres of two finds below which they are one
_RECOGNISED_TIMES = 2  # in a row, from which the scene is sure
_GROUND_EVERY = 3  # new places: one of so many is where the ground carried the target to
_RIVAL_EVERY = 5  # frames between two looks at a candidate that is not the likeliest
_FORGOTTEN_AFTER = 15  # frames without a look at a candidate
_LATELY = 45  # frames in which what was seen elsewhere is compared with a candidate
_SEEN_ELSEWHERE = 5  # looks, with fewer of which it is not known what else there is
_LARGEST_CHANGE = 2.5  # factor between a candidate's side and the target's
# Log odds. A first look, off its centre and from afar, makes the target itself doubtful; the second one does not.
_WORTH_A_LOOK, _REJECTED_BELOW = -4.5, -1.0


class Candidate(NamedTuple):
    """What may be the lost target.

    Attributes:
        box: Where, pixels of the frame.
        probability: That it is the target, by the verifier, [0, 1].
        is_near: Whether it is near where the target was lost: only then it may be accepted without a person.
    """

    box: Box
    probability: float
    is_near: bool


class Find:
    """A candidate that is being looked at."""

    def __init__(
        self, box: Box, frame_index: int, log_odds: float, settings: ReacquisitionSettings, *, is_near: bool
    ) -> None:
        self.box = box
        self.seen = frame_index
        self.is_near = is_near
        self._settings = settings
        self._at_first = log_odds
        self._long = max(settings.verification_frames, settings.long_verification_frames)
        self._answers: deque[float] = deque(maxlen=self._long)

    def add(self, box: Box, frame_index: int, log_odds: float) -> None:
        """Take in another look."""
        self.box, self.seen = box, frame_index
        self._answers.append(log_odds)

    @property
    def log_odds(self) -> float:
        """Mean of the latest few looks; of the first look while there is no other."""
        latest = list(self._answers)[-self._settings.verification_frames :] or [self._at_first]
        return sum(latest) / len(latest)

    @property
    def is_looked_at(self) -> bool:
        """Whether it was looked at again at all."""
        return bool(self._answers)

    @property
    def is_ripe(self) -> bool:
        """Whether it was looked at often enough to decide."""
        return len(self._answers) >= self._settings.verification_frames

    def is_verified(self, *, is_new_scene: bool) -> bool:
        """Whether its latest looks are enough to say that it is the target.

        Args:
            is_new_scene: Whether the picture may show another place than the one where the target was tracked.
        """
        of = self._settings
        if not is_new_scene:
            return self._is_likely(of.verification_frames, of.minimum_log_odds)
        # It never takes less than in the old scene.
        clear, likely = (
            max(limit, of.minimum_log_odds) for limit in (of.minimum_log_odds_after_cut, of.long_minimum_log_odds)
        )
        return self._is_likely(of.verification_frames, clear) or self._is_likely(self._long, likely)

    def _is_likely(self, looks: int, minimum_log_odds: float) -> bool:
        latest = list(self._answers)[-looks:]
        return len(latest) == looks and sum(latest) >= looks * minimum_log_odds


class _Seen(NamedTuple):
    """What a look showed."""

    frame_index: int
    box: Box
    log_odds: float


class Look(NamedTuple):
    """Where to look."""

    expected: Box  # around which, and in whose size the target is expected, pixels of the frame
    scale: float  # of the search region
    find: Find | None  # the candidate that is looked at again; ``None`` in a new place
    is_near: bool


class Reacquisition:
    """Looks for one target.

    Args:
        settings: How many looks, and what they have to show.
        search_factor: Side of a search region of scale 1, in sides of the target.
        frame_size: (width, height), pixels.

    Attributes:
        is_on: Whether the target is being looked for.
        is_after_cut: Whether the picture was cut since it was tracked.
        ground: Where the place at which it was tracked last lies in the picture now, pixels of the frame, perhaps
            outside it; ``None`` where the scene is not recognised.
        last: Where it was seen before it was looked for, pixels of the frame.
    """

    def __init__(self, settings: ReacquisitionSettings, search_factor: float, frame_size: tuple[int, int]) -> None:
        self._settings = settings
        self._search_factor = search_factor
        self._frame_size = frame_size
        self.is_on = self.is_after_cut = False
        self.last: Box = (0.0, 0.0, 1.0, 1.0)
        self.ground: Box | None = None
        self._times_recognised = 0  # in a row
        self._new_places = 0  # looked at since the ground is known
        self._places: Iterator[Place] = iter(())
        self._finds: list[Find] = []
        self._seen: deque[_Seen] = deque(maxlen=_LATELY * settings.inferences_per_frame)  # the latest looks
        self._frames_left = 0  # on probation
        self._answers: deque[float] = deque(maxlen=settings.verification_frames)  # of the verifier, on probation

    def start(self, last: Box, *, is_after_cut: bool) -> None:
        """Begin to look, likely places first.

        Args:
            last: Where the target was seen last, pixels of the frame.
            is_after_cut: Whether the picture was cut since then: it may show another place.
        """
        self.is_on, self.is_after_cut, self.last = True, is_after_cut, last
        self._finds = []
        self._frames_left = 0
        self.on_ground(None)
        of = self._settings
        self._places = search_places(last, self._frame_size, self._search_factor, of.search_scale, of.near_sides)

    def on_ground(self, ground: Box | None) -> None:
        """Take in where the target is if it stands on the ground, see ``ground``."""
        if self.ground is None:
            self._new_places = 0
        self.ground = ground
        self._times_recognised = 0 if ground is None else self._times_recognised + 1
        for find in self._finds:
            find.is_near = find.is_near and self._is_near(find.box)

    def _is_near(self, box: Box) -> bool:
        """Whether a near place shows what lies in a box."""
        of = self._settings
        reach = of.search_scale * self._search_factor / 2  # of a search region, sides
        if sides_between(box, self.last) <= of.near_sides + reach:
            return True
        return self.ground is not None and sides_between(box, self.ground) <= reach

    @property
    def is_in_scene(self) -> bool:
        """Whether the picture surely shows the scene in which the target was tracked: it was recognised repeatedly."""
        return self._times_recognised >= _RECOGNISED_TIMES

    @property
    def is_on_probation(self) -> bool:
        """Whether the target was found again a moment ago."""
        return self._frames_left > 0

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What was found so far and looked at twice, the likeliest first. It may reach over the border of the frame."""
        seen = [find for find in self._finds if find.is_looked_at]
        return tuple(Candidate(find.box, probability(find.log_odds), find.is_near) for find in seen)

    def looks(self, frame_index: int) -> Iterator[Look]:
        """Where to look in a frame: at the likeliest candidate, and at a new one or in a new place."""
        self._finds = [find for find in self._finds if frame_index - find.seen <= _FORGOTTEN_AFTER]
        nearest_first = sorted(self._finds, key=lambda find: not find.is_near)  # stable: the likeliest of them first
        again = nearest_first[: self._settings.inferences_per_frame - 1]
        rivals = nearest_first[len(again) :]
        again += [find for find in rivals if not find.is_looked_at or frame_index - find.seen > _RIVAL_EVERY][:1]
        for find in again:
            yield Look(find.box, 1.0, find, find.is_near)
        for _ in range(self._settings.inferences_per_frame - len(again)):
            place = self._next_place()
            yield Look(place.box, place.scale, None, place.is_near)

    def _next_place(self) -> Place:
        """The next place about the last box, or the one to which the ground was carried from there."""
        ground = self.ground
        if ground is None or not has_centre_in(ground, *self._frame_size):
            return next(self._places)
        if sides_between(ground, self.last) < _ONE_PLACE:
            return next(self._places)  # it is among those
        turn, is_other = divmod(self._new_places, _GROUND_EVERY)
        self._new_places += 1
        if is_other:
            return next(self._places)
        return Place(ground, 1.0 if turn % 2 else self._settings.search_scale, is_near=True)

    def looked(self, look: Look, frame_index: int, box: Box, log_odds: float) -> None:
        """Take in what a look showed.

        Args:
            look: Which.
            frame_index: Frames since ``init``.
            box: What the network found, pixels of the frame.
            log_odds: That it is the target.
        """
        self._seen.append(_Seen(frame_index, box, log_odds))
        side, last_side = math.sqrt(box[2] * box[3]), math.sqrt(self.last[2] * self.last[3])
        fits = max(side / last_side, last_side / side) <= _LARGEST_CHANGE
        if look.find is None:
            is_new = all(sides_between(box, find.box) > _ONE_PLACE for find in self._finds)
            if fits and is_new and log_odds >= _WORTH_A_LOOK:
                self._finds.append(Find(box, frame_index, log_odds, self._settings, is_near=look.is_near))
        elif fits and log_odds >= _REJECTED_BELOW:
            look.find.add(box, frame_index, log_odds)
        else:
            self._finds = [find for find in self._finds if find is not look.find]
        self._finds = sorted(self._finds, key=lambda find: find.log_odds, reverse=True)[:_KEPT]

    def found(self, frame_index: int) -> Find | None:
        """The target, once it is verified in a frame. It is on probation from then on."""
        best = next((find for find in self._finds if find.is_near and find.is_ripe and find.seen == frame_index), None)
        if best is None:
            return None
        is_verified = best.is_verified(is_new_scene=self.is_after_cut and not self.is_in_scene)
        if not is_verified and not self._stands_out(best, frame_index):
            return None
        rivals = (find.log_odds for find in self._finds if find.is_looked_at and find is not best)
        rival = max(rivals, default=-math.inf)
        if best.log_odds < rival + self._settings.log_odds_margin:
            return None
        self.is_on, self._finds = False, []
        self._frames_left = self._settings.probation_frames
        self._answers.clear()
        return best

    def _stands_out(self, find: Find, frame_index: int) -> bool:
        """Whether a find in the scene of the target is clearly likelier than all that was seen elsewhere lately.

        Some targets never look much like themselves a moment ago, such as a person who turns; but where nothing else
        comes near, they are known all the same.
        """
        if not self.is_in_scene or find.log_odds < self._settings.scene_minimum_log_odds:
            return False
        lately = (seen for seen in self._seen if frame_index - seen.frame_index < _LATELY)
        elsewhere = [seen.log_odds for seen in lately if sides_between(find.box, seen.box) > _ONE_PLACE]
        return len(elsewhere) >= _SEEN_ELSEWHERE and find.log_odds >= max(elsewhere) + self._settings.scene_margin

    def is_taken_back(self, log_odds: float) -> bool:
        """Whether what was accepted is doubted in a frame on probation.

        Args:
            log_odds: That it is the target, in this frame.
        """
        if not self._frames_left:
            return False
        self._answers.append(log_odds)
        is_doubted = len(self._answers) == self._answers.maxlen and sum(self._answers) < 0
        self._frames_left -= not is_doubted
        return is_doubted
