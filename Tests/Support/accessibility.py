"""What axe-core says of a page: the rules of WCAG 2.1 A and AA, and its best practices."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path

from browser import Browser

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


@cache
def _axe() -> str:
    """The library's own text; the Python package around it is not needed."""
    found = importlib.util.find_spec("axe_core_python")
    assert found and found.submodule_search_locations, "axe-core-python is missing: Tests/Support/venv.sh"
    return (Path(found.submodule_search_locations[0]) / "axe.min.js").read_text()


def violations(browser: Browser) -> list[str]:
    """One line for each thing that is wrong with the page as it stands."""
    if not browser.run("typeof axe === 'object'"):
        browser.call("Runtime.evaluate", expression=_axe())
    options = json.dumps({"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]})
    found = browser.run(f"axe.run(document, {options}).then((r) => JSON.stringify(r.violations))")
    return [
        f"{rule['id']}: {node['html'][:160]} {node.get('failureSummary', '')}"
        for rule in json.loads(found)
        for node in rule["nodes"]
    ]
