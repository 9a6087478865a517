"""A forecast as a page for people: one HTML file that needs nothing but itself."""

from functools import cache

from jinja2 import Template

from data_protection.lifecycle.rules import StorageClass
from data_protection.reports.charts import percent
from data_protection.reports.forecast import Forecast
from data_protection.reports.forecast_charts import by_charge, by_year, sizes_chart, years_chart
from data_protection.reports.forecast_words import CHARGES, as_size, dollars
from kernel.pages.templating import templates_of
from kernel.pages.words import seen
from kernel.prices import REGION


def as_html(forecast: Forecast) -> bytes:
    """Return the page."""
    paid = {storage_class for _, storage_class, _ in forecast.lifecycle.usd}
    bills = {"all in STANDARD": forecast.standard, "as it is": forecast.present}
    if not forecast.is_own:
        bills["under this lifecycle"] = forecast.lifecycle
    return (
        _template()
        .render(
            forecast=forecast,
            plan=forecast.plan,
            years=range(1, forecast.terms.years + 1),
            classes=[one for one in StorageClass if one in paid],
            years_chart=years_chart(forecast),
            sizes_chart=sizes_chart(forecast),
            bills={
                name: {year: sum(parts.values()) for year, parts in by_year(bill).items()}
                for name, bill in bills.items()
            },
            totals=[bill.total for bill in bills.values()],
            region=REGION,
            charges={
                said: [by_charge(bill).get(item, 0.0) for bill in bills.values()]
                for item, said in CHARGES.items()
                if any(item in by_charge(bill) for bill in bills.values())
            },
        )
        .encode()
    )


@cache
def _template() -> Template:
    templates = templates_of("data_protection.reports")
    templates.filters.update(
        dollars=dollars,
        size=as_size,
        seen=seen,
        percent=lambda value: percent(None if value is None else round(value, 1)),
    )
    return templates.get_template("forecast.html.j2")
