from plotly.offline import get_plotlyjs

from toolkit.visualize.web import _plotly


def test_plotly_is_whole_and_put_in_parentheses():
    # Where a version of Plotly is written otherwise, the page opens slower: look at it again.
    code, found = get_plotlyjs(), _plotly()
    start = next(i for i, (a, b) in enumerate(zip(code, found, strict=False)) if a != b)
    assert found[start] == "("
    assert found.rstrip().endswith("})));")
    assert found[:start] + found[start + 1 :].rstrip()[: -len("})));")] + "}));" == code.rstrip()
