"""Where the tests' time goes: by folder, and the slowest twenty. Reads the report of `make test-times`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

report = Path(sys.argv[1])
seconds: Counter[str] = Counter()
cases: Counter[str] = Counter()
for case in ElementTree.parse(report).iter("testcase"):
    room = "/".join(case.get("classname", "").split(".")[1:3])
    seconds[room] += float(case.get("time", 0))
    cases[f"{case.get('classname')}::{case.get('name')}"] = float(case.get("time", 0))  # type: ignore[assignment]
total = sum(seconds.values())
print(f"{len(cases):,} tests, {total / 60:.1f} minutes of one core, fixtures among them\n")
for room, spent in seconds.most_common(30):
    print(f"{spent:8.1f} s  {spent / total:5.1%}  {room}")
print("\nslowest")
for name, spent in cases.most_common(20):
    print(f"{spent:8.1f} s  {name}")
