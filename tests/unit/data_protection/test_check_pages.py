from data_protection.checks.catalogue import catalogue
from tests.docs import CHECKS, check_pages


def test_pages_in_docs_are_those_of_the_code() -> None:
    written = {path.name: path.read_text() for path in CHECKS.glob("*.md")}

    assert written == check_pages(), "docs/checks is behind: python -m tests.docs"


def test_a_page_says_what_is_read_and_what_is_changed() -> None:
    page = check_pages()["DDB-PITR.md"]

    for told in ("`dynamodb:DescribeContinuousBackups`", "`dynamodb:UpdateContinuousBackups`", "DynamoDB.2", "Phase 1"):
        assert told in page


def test_every_check_is_in_the_index() -> None:
    index = check_pages()["README.md"]

    assert all(f"[{check}]({check}.md)" in index for check in catalogue())
