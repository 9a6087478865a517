from bench.documents import replaced


def test_figures_replace_those_that_were_there() -> None:
    marks = ("<begin>", "<end>")
    once = replaced("head\n<begin>\nold\n<end>\ntail\n", "new", marks)
    assert once == "head\n<begin>\n\nnew\n\n<end>\ntail\n"
    assert replaced(once, "new", marks) == once
