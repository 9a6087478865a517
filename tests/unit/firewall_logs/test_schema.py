import subprocess
import sys

from firewall_logs import schema
from tests.support import firewall_reference as reference


def test_fields_are_the_documented_ones_in_documented_order() -> None:
    assert [field.raw for field in schema.FIELDS] == reference.SCHEMA_ORDER
    assert len(schema.FIELDS) == 45
    assert [field.lake for field in schema.FIELDS if field.type != "time"] == [
        reference._snake(name) for name in reference.SCHEMA_ORDER if name != "Datetime"
    ]


def test_planner_and_reconciler_can_import_the_schema_without_polars() -> None:
    code = "import sys, firewall_logs.schema; sys.exit('polars' in sys.modules or 'pyarrow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603  # the code above
