"""The words that the embedded world is made of. Diseases and complaints are invented, findings are ordinary words.

`medo1.clinic.world` deals them out. Every name is one lower-case word, so that the tokenizer can hold each as one
token, and no name is in two lists, so that a word identifies its kind.
"""

from __future__ import annotations

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
