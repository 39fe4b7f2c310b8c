"""Tables as Markdown and HTML."""

from finn_flow.tables import Table, figure

TABLE = Table("A & B", ("node", "cycles", "share"), [("a|b", 12345, 0.25), ("<c>", None, 1.0)])


def test_markdown():
    assert TABLE.to_markdown() == (
        "**A & B**\n\n| node | cycles | share |\n| --- | ---: | ---: |\n| a\\|b | 12,345 | 0.2 |\n| <c> | – | 1.0 |\n"  # noqa: RUF001
    )


def test_html_is_escaped_and_numbers_stand_on_the_right():
    html = TABLE.to_html()
    assert "A &amp; B" in html
    assert "<td>&lt;c&gt;</td>" in html
    assert '<td style="text-align: right">12,345</td>' in html


def test_a_column_with_a_text_is_no_number():
    assert not Table("", ("a", "b"), [("x", 1), ("y", "2 %")]).is_number(1)
    assert not Table("", ("a", "b"), [("x", None)]).is_number(1)


def test_figures():
    assert [figure(value) for value in (None, 1234, 1234.56, "x")] == ["–", "1,234", "1,234.6", "x"]  # noqa: RUF001
