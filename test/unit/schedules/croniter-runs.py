"""Due times by croniter, an independent implementation: JSON cases on stdin, JSON lists of seconds on stdout.

croniter runs a fixed time again when clocks repeat it, and moves every time that clocks skip. The rules of this product
differ, and are applied here with zoneinfo: a fixed time runs once, and only fixed times are moved.
"""

import json
import sys
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from croniter import croniter


def runs(pattern, zone, start, end):
    zone = ZoneInfo(zone)
    fixed = not any(sign in "".join(pattern.split()[:2]) for sign in "*/")
    times = croniter(pattern, datetime.fromtimestamp(start, zone))
    found = []
    while True:
        time = times.get_next(datetime)
        seconds = int(time.timestamp())
        if seconds > end:
            return found
        local = datetime.fromtimestamp(seconds, timezone.utc).astimezone(zone)
        repeated = local.fold == 1
        moved = not croniter.match(pattern, local.replace(tzinfo=None, fold=0))
        if not (repeated if fixed else moved):
            found.append(seconds)


print(json.dumps([runs(*case) for case in json.load(sys.stdin)]))
