"""Findings as JUnit XML, as pipelines show it."""

import re
from typing import Final
from xml.etree import ElementTree as ET

from data_protection.checks.catalogue import catalogue
from data_protection.contracts import FindingRow
from data_protection.reports.report import Report
from data_protection.reports.texts import how, requires
from data_protection.verdicts import Status
from kernel.pages.words import seen

# What XML 1.0 cannot hold though Unicode has it, beside the controls that `seen` shows: https://www.w3.org/TR/xml/#charsets
_NOT_XML: Final = re.compile("[\ufffe\uffff]")


def as_junit(report: Report) -> bytes:
    """Return a suite for each place, with a case for each check on a resource.

    Failed and warned are failures; what could not be read, and a place that could not be assessed, are errors; what is
    excepted or cannot apply is skipped.
    """
    root = ET.Element("testsuites", name=_text(f"data protection {report.run}"))
    for look in report.looks:
        suite = ET.SubElement(root, "testsuite", name=_text(look.name), timestamp=report.time.isoformat())
        for row in look.rows:
            _case(suite, row)
        _count(suite)
    for failure in report.failures:
        suite = ET.SubElement(root, "testsuite", name="not assessed", timestamp=report.time.isoformat())
        case = ET.SubElement(suite, "testcase", classname="place", name=_text(failure.partition(":")[0]))
        ET.SubElement(case, "error", message=_text(failure))
        _count(suite)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _case(suite: ET.Element, row: FindingRow) -> None:
    case = ET.SubElement(suite, "testcase", classname=row.check, name=_text(f"{row.kind}/{row.name}"))
    check = catalogue()[row.check]
    match row.status:
        case Status.FAIL | Status.WARN:
            failure = ET.SubElement(case, "failure", type=row.status.value, message=_text(row.reason))
            failure.text = _text(f"{requires(check)} {check.why} {how(check)}")
        case Status.UNKNOWN:
            ET.SubElement(case, "error", type=row.status.value, message=_text(row.reason))
        case Status.EXCEPTED:
            ET.SubElement(case, "skipped", message=_text(f"Until {row.expires}, {row.owner}: {row.excuse}"))
        case Status.NOT_APPLICABLE:
            ET.SubElement(case, "skipped", message=_text(row.reason))


def _count(suite: ET.Element) -> None:
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(1 for _ in suite.iter(tag))))


def _text(text: str) -> str:
    return _NOT_XML.sub(lambda found: found[0].encode("unicode_escape").decode(), seen(text))
