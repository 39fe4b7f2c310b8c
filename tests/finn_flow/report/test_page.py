"""The page in a real browser: no error, no request, no overflow, text in its place, keyboard, axe's rules."""

import pytest
from axe_core_python.selenium import Axe
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from finn_flow.build_folder import BuildFolder
from tests.finn_flow.report.browser import Browser

WIDTHS = (360, 1280)
A4_WIDTH = 703  # CSS pixels between margins of 12 mm

TEXTS_OUTSIDE = """
return [...document.querySelectorAll('svg text')].filter(text => {
  const inner = text.getBoundingClientRect(), outer = text.closest('svg').getBoundingClientRect();
  return inner.width == 0 || inner.left < outer.left - 1 || inner.right > outer.right + 1
      || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
}).map(text => text.textContent);
"""

TEXTS_ON_TEXTS = """
const found = [];
for (const svg of document.querySelectorAll('svg')) {
  const texts = [...svg.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()]);
  texts.forEach(([first, a], index) => texts.slice(index + 1).forEach(([second, b]) => {
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    // Boxes of lines one above the other share the space for descenders.
    if (across > 1 && down > 0.35 * Math.min(a.height, b.height)) found.push(first + ' / ' + second);
  }));
}
return found;
"""

TEXTS_BEYOND_BOXES = """
return [...document.querySelectorAll('.box, .tag, .frame')].flatMap(group => {
  const outer = group.querySelector('rect').getBoundingClientRect();
  return [...group.querySelectorAll('text')].filter(text => {
    const inner = text.getBoundingClientRect();
    return inner.left < outer.left || inner.right > outer.right || inner.top < outer.top || inner.bottom > outer.bottom;
  }).map(text => text.textContent);
});
"""

TOO_WIDE = """
return [...document.querySelectorAll('.scroll')].filter(area => area.scrollWidth > area.clientWidth + 1)
    .map(area => area.ariaLabel);
"""

FOCUS = """
const focus = document.activeElement;
return [focus.className || focus.textContent, Math.round(focus.getBoundingClientRect().top + scrollY)];
"""

UNNAMED = """
return [...document.querySelectorAll('svg')].filter(svg => svg.getAttribute('role') != 'img'
    || svg.getAttribute('aria-labelledby').split(' ').some(id => !document.getElementById(id)?.textContent)).length;
"""

OVERFLOW = "return document.documentElement.scrollWidth - document.documentElement.clientWidth;"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.driver.quit()


@pytest.fixture(params=["full", "estimated"])
def page(request):
    return BuildFolder(request.getfixturevalue(request.param)).page


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_goes_wrong_and_nothing_is_fetched(browser, page, width):
    browser.requests()
    browser.messages()
    browser.open(page, width)
    assert browser.messages() == []
    assert [address for address in browser.requests() if not address.startswith("data:")] == [page.absolute().as_uri()]


@pytest.mark.parametrize("width", WIDTHS)
def test_layout(browser, page, width):
    browser.open(page, width)
    assert browser.script(OVERFLOW) <= 0
    assert browser.script("return document.querySelectorAll('svg text').length") > 100
    assert browser.script(TEXTS_OUTSIDE) == []
    assert browser.script(TEXTS_ON_TEXTS) == []
    assert browser.script(TEXTS_BEYOND_BOXES) == []


def test_prints_within_the_paper(browser, page):
    browser.open(page, A4_WIDTH, media="print")
    assert browser.script(OVERFLOW) <= 0
    assert browser.script(TEXTS_ON_TEXTS) == []
    assert browser.script(TOO_WIDE) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, page, scheme):
    browser.open(page, 1280, scheme=scheme)
    violations = Axe().run(browser.driver)["violations"]
    assert [(rule["id"], rule["help"], rule["nodes"][0]["html"][:200]) for rule in violations] == []


def test_headings_are_in_order_and_sections_are_reached_from_the_top(browser, page):
    browser.open(page, 1280)
    levels = browser.script("return [...document.querySelectorAll('h1,h2,h3,h4')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert set(levels[1:]) <= {2, 3}
    assert levels[1] == 2
    links = browser.script("return [...document.querySelectorAll('nav a')].map(a => a.hash.slice(1))")
    assert len(links) == 12
    assert browser.script("return [...document.querySelectorAll('main h2')].map(h => h.id)")[-12:] == links


def test_keyboard_alone_is_enough(browser, page):
    """Tab shows the link past the navigation first; then the focus goes through the page from above to below."""
    browser.open(page, 1280)
    ActionChains(browser.driver).send_keys(Keys.TAB).perform()
    assert browser.script(FOCUS)[0] == "skip"
    assert browser.script("return document.activeElement.getBoundingClientRect().left") >= 0
    ActionChains(browser.driver).send_keys(Keys.ENTER).perform()
    assert browser.script("return document.activeElement.id") == "content"
    reached = []
    for _ in range(6):
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        reached.append(browser.script(FOCUS))
    assert reached[0][0] == "scroll"
    assert reached == sorted(reached, key=lambda entry: entry[1])


def test_screen_readers_get_every_figure_in_words(browser, page):
    browser.open(page, 1280)
    assert browser.script(UNNAMED) == 0
    assert browser.script("return [...document.querySelectorAll('table')].filter(t => !t.caption).length") == 0
    assert browser.script("return [...document.querySelectorAll('th')].filter(t => !t.scope).length") == 0


NODES = "[...document.querySelectorAll('table.sortable')].find(t => t.caption.textContent == 'Cycles of each node')"
CYCLES = f"return [...{NODES}.tBodies[0].rows].map(row => Number(row.cells[4].textContent.replaceAll(',', '')))"


def test_tables_fold_and_sort(browser, page):
    browser.open(page, 1280)
    assert browser.script("return document.querySelectorAll('details:not([open])').length") > 2
    before = browser.script(CYCLES)
    heading = f"{NODES}.tHead.rows[0].cells[4]"
    browser.script(f"{heading}.querySelector('button').click()")
    assert browser.script(CYCLES) == sorted(before)
    assert browser.script(f"return {heading}.ariaSort") == "ascending"
    browser.script(f"{heading}.querySelector('button').click()")
    assert browser.script(CYCLES) == sorted(before, reverse=True)


def test_a_node_is_marked_wherever_it_is(browser, page):
    browser.open(page, 1280)
    box = "document.querySelector('.diagram [data-node]')"
    browser.script(f"{box}.dispatchEvent(new MouseEvent('mouseover', {{bubbles: true}}))")
    marked = browser.script("return [...document.querySelectorAll('.same')].map(e => [e.tagName, e.dataset.node])")
    name = browser.script(f"return {box}.dataset.node")
    assert {node for _, node in marked} == {name}
    assert {"g", "TR"} <= {tag for tag, _ in marked}


def test_everything_is_unfolded_on_paper_and_folded_again(browser, page):
    browser.open(page, 1280)
    folded = "return document.querySelectorAll('details:not([open])').length"
    count = browser.script(folded)
    browser.script("dispatchEvent(new Event('beforeprint'))")
    assert browser.script(folded) == 0
    browser.script("dispatchEvent(new Event('afterprint'))")
    assert browser.script(folded) == count
