"""Templates of pages: a domain's own, which extend `page.html.j2`, and what all pages have."""

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kernel.pages.words import counted, number


def templates_of(package: str) -> Environment:
    """Return the environment of a package's templates.

    Everything is escaped but what `asset` brings in: styles and scripts of our own, out of files.

    Args:
        package: Which has a folder `templates`.
    """
    loader = ChoiceLoader([PackageLoader(package), PackageLoader("kernel.pages")])
    templates = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def asset(name: str) -> Markup:
        return Markup(loader.get_source(templates, name)[0])  # noqa: S704 - our own

    templates.filters.update(number=number)
    templates.globals.update(counted=counted, asset=asset)
    return templates
