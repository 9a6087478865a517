"""Ours: a snapshot of the account and its verdicts, as AssessPlace makes them, to a file of JSON lines."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

from data_protection.adapters.estate import Clients
from data_protection.adapters.snapshots import Pace, Snapshots
from data_protection.assessments import assess
from data_protection.collection import Questions
from data_protection.profiles import parse
from data_protection.resources import Place


def main(profile: Path, account: str, region: str, out: Path) -> None:
    """Assess the account and write a line for each finding."""
    asked, now = parse(profile.read_text("utf-8")), datetime.now(UTC)
    snapshot = Snapshots(Clients(None).of).take(Questions(Place(account, region), asked), now)
    findings = assess(snapshot, asked, now).findings
    lines = [
        {"check": one.check.id, "name": one.resource.name, "status": one.status, "reason": one.verdict.reason}
        for one in findings
    ]
    out.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")


if __name__ == "__main__":
    profile, account, region, out, *unlimited = sys.argv[1:]
    if unlimited:
        patch.object(Pace, "take", lambda _: None).start()
    main(Path(profile), account, region, Path(out))
