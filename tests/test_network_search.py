"""Random networks are exact, or refused: none is wrong, none dies inside."""

from tests.network_search import search


def test_a_few_networks() -> None:
    findings = search(count=8, start=1)
    assert findings.bad == {}
    assert findings.exact >= 5
