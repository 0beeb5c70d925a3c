"""Dead letters: what could not be handled, byte for byte, and the way back for what can be mended."""

from ekiben.dead_letters.acting import Chunk
from ekiben.dead_letters.actions import Action, Actor
from ekiben.dead_letters.case import Case
from ekiben.dead_letters.counting import Obituary
from ekiben.dead_letters.letter import DeadLetter
from ekiben.dead_letters.letters import DeadLetters
from ekiben.dead_letters.pacing import Pace
from ekiben.dead_letters.patching import Patch, read_patch
from ekiben.dead_letters.replaying import MOST_ATTEMPTS, LeftOut, Treatment, Why
from ekiben.dead_letters.searching import Progress, Watch
from ekiben.dead_letters.selection import Selection
from ekiben.dead_letters.trimming import Trim
from ekiben.dead_letters.viewing import View, Viewer, whole

__all__ = [
    "MOST_ATTEMPTS",
    "Action",
    "Actor",
    "Case",
    "Chunk",
    "DeadLetter",
    "DeadLetters",
    "LeftOut",
    "Obituary",
    "Pace",
    "Patch",
    "Progress",
    "Selection",
    "Treatment",
    "Trim",
    "View",
    "Viewer",
    "Watch",
    "Why",
    "read_patch",
    "whole",
]
