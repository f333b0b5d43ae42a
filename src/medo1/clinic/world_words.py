"""The words that the embedded world is made of. Diseases and complaints are invented, findings are ordinary words.

`medo1.clinic.world` deals them out. Every name is one lower-case word, so that the tokenizer can hold each as one
token, and no name is in two lists, so that a word identifies its kind and its task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from medo1.clinic.wording import Task

DISEASES = (
    "okaritis", "harbosis", "velpox", "luthemia", "tamoria", "crendia", "sulvoma", "drexis",
    "galmitis", "zimbrosis", "quellia", "fendroma",
)  # fmt: skip

# Complaints are compounds of a place and a feeling: 240 of them, so that knowing them all is work.
PLACES = (
    "head", "neck", "jaw", "ear", "eye", "nose", "throat", "chest", "back", "rib", "hip", "knee",
    "shin", "heel", "foot", "toe", "hand", "wrist", "thumb", "elbow", "shoulder", "belly", "scalp", "skin",
)  # fmt: skip
FEELINGS = ("ache", "itch", "burn", "cramp", "chill", "twitch", "sting", "throb", "rash", "tremor")
COMPLAINTS = tuple(f"{place}{feeling}" for place in PLACES for feeling in FEELINGS)

# Slot to its values. The order of the slots is the order in which a chart reports them.
SLOTS = {
    "vitals": ("fever", "hypertension", "tachycardia", "hypoxia", "bradycardia", "hypothermia"),
    "exam": ("murmur", "wheeze", "jaundice", "oedema", "pallor", "clubbing"),
    "blood": ("anaemia", "leukocytosis", "hyponatraemia", "acidosis", "eosinophilia", "uraemia"),
    "urine": ("proteinuria", "haematuria", "glycosuria", "ketonuria", "pyuria", "crystals"),
    "imaging": ("effusion", "nodule", "fracture", "calcification", "abscess", "cavity"),
    "culture": ("candida", "klebsiella", "nocardia", "staphylococcus", "listeria", "brucella"),
}

# The workshop's: parts of an engine that fail, noises, and what its instruments show.
PARTS_THAT_FAIL = (
    "brasket", "quorvane", "tragget", "plimber", "snorvel", "cogrine", "vattle", "drunnel",
    "fescoil", "hobrick", "jarnip", "lumbrack",
)  # fmt: skip

MOVING_PARTS = (
    "belt", "valve", "gear", "pump", "shaft", "clutch", "piston", "crank", "spring", "wheel", "chain", "flange",
    "rotor", "lever", "nozzle", "gasket", "pulley", "drum", "fan", "cam", "hinge", "brake", "boiler", "hopper",
)  # fmt: skip
SOUNDS = ("squeal", "rattle", "hum", "clank", "hiss", "grind", "knock", "whine", "thud", "buzz")
NOISES = tuple(f"{part}{sound}" for part in MOVING_PARTS for sound in SOUNDS)

INSTRUMENTS = {
    "pressure": ("surging", "sagging", "pulsing", "steady", "spiking", "nil"),
    "oil": ("cloudy", "gritty", "foamy", "milky", "burnt", "thin"),
    "coolant": ("rusty", "oily", "boiling", "frozen", "brackish", "murky"),
    "voltage": ("flickering", "drifting", "reversed", "earthed", "dropping", "peaking"),
    "alignment": ("tilted", "skewed", "warped", "offset", "bowed", "twisted"),
    "exhaust": ("sooty", "bluish", "whitish", "sparking", "acrid", "wet"),
}


@dataclass(frozen=True)
class TaskWords:
    """What a task's world is dealt from.

    Attributes:
        diseases: what an answer names; in the workshop, parts that fail.
        complaints: what a case begins with; in the workshop, noises.
        slots: slot to what can be found there, in the order in which a case reports them.
    """

    diseases: tuple[str, ...]
    complaints: tuple[str, ...]
    slots: Mapping[str, tuple[str, ...]]


WORDS: Mapping[Task, TaskWords] = {
    "clinic": TaskWords(DISEASES, COMPLAINTS, SLOTS),
    "workshop": TaskWords(PARTS_THAT_FAIL, NOISES, INSTRUMENTS),
}
