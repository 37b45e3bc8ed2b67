"""How people say that they do not want to be called, and the list of them as CSV."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_ari.promises.opt_out import Listed, OptOut, Reply, read_reply
from kai_ari.promises.opt_out_csv import from_csv, to_csv

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OUT = [
    "STOP",
    "Stop.",
    "stop!!",
    "  STOP ALL ",
    "Stop, thank you!",
    "REVOKE",
    "Unsubscribe",
    "please stop",
    "stop calling me",
    "Stop calling me, yes, I mean it",
    "don't call me again",
    "don\u2019t ever call here",
    "do not call this number any more",
    "never call me",
    "no more calls please",
    "please take me off your list",
    "remove my phone number",
    "would you leave me alone",
    "quit texting me",
    "lose my number",
]
NO = [
    "",
    "no",
    "No thanks",
    "not now",
    "maybe",
    "yes but no",
    "I don't know",
    "who is this",
    "yes, no, well",
    "I'd rather not",
    "yesterday",
    "the tap does not stop dripping",
    "it won't stop",
]
YES = ["yes", "Yes, please.", "OK", "yeah", "Go ahead!", "That's fine"]


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        *((text, Reply.OUT) for text in OUT),
        *((text, Reply.NO) for text in NO),
        *((text, Reply.YES) for text in YES),
        ("START", Reply.IN),
        ("unstop", Reply.IN),
    ],
)
def test_what_is_not_plainly_yes_is_no(text: str, reply: Reply) -> None:
    assert read_reply(text) is reply


@given(st.text(max_size=40), st.sampled_from(["stop calling me", "do not call me"]))
def test_stop_wins_over_whatever_stands_around_it(text: str, stop: str) -> None:
    assert read_reply(f"{text} {stop} {text}") is Reply.OUT


def entry(number: str, state: Listed, source: str, evidence: str) -> OptOut:
    return OptOut(number=number, state=state, source=source, at=NOON, evidence=evidence)


ENTRIES = st.lists(
    st.builds(
        entry,
        st.sampled_from(["+12025550123", "+442079460000", "101"]),
        st.sampled_from(Listed),
        st.sampled_from(["sms", "key", "=cmd()"]),
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1).map(
            lambda text: text.strip() or "x"
        ),
    )
)


@given(ENTRIES)
def test_what_is_exported_comes_back(entries: list[OptOut]) -> None:
    plain = [e for e in entries if not e.evidence.startswith("'")]
    assert from_csv(to_csv(plain), country="US", at=NOON, evidence="file") == plain


def test_a_spreadsheet_finds_no_formula() -> None:
    assert ",'\r=HYPERLINK(1)" in to_csv(
        [entry("+12025550123", Listed.OUT, "sms", "\r=HYPERLINK(1)")]
    ).replace('"', "")
    text = to_csv([entry("+12025550123", Listed.OUT, "sms", "=HYPERLINK(1)")])
    assert "'=HYPERLINK(1)" in text
    [back] = from_csv(text, country="US", at=NOON, evidence="file")
    assert back.evidence == "=HYPERLINK(1)"


@pytest.mark.parametrize(
    "text",
    [
        "+12025550123\n(202) 555-0124\n",
        "number\n+1 202 555 0123\n\n202-555-0124\n",
        "\ufeffName;Number\nAnn;2025550123\nBob;'+12025550124\n",
        "number,state\n+12025550123,OUT\n+12025550124,\n",
    ],
)
def test_any_list_with_numbers_is_read(text: str) -> None:
    entries = from_csv(text, country="US", at=NOON, evidence="old list")
    assert [one.number for one in entries] == ["+12025550123", "+12025550124"]
    assert {(one.state, one.source, one.at, one.evidence) for one in entries} == {
        (Listed.OUT, "import", NOON, "old list")
    }


@pytest.mark.parametrize("numbers", [1, 20_000])
def test_a_quote_that_is_not_closed_hides_no_number(numbers: int) -> None:
    listed = "".join(f"+1202555{n:04}\n" for n in range(numbers))
    text = f'number,evidence\n+12025550123,"he said stop\n{listed}'
    with pytest.raises(ValueError, match=r"line 2: .* quote"):
        from_csv(text, country="US", at=NOON, evidence="")


def test_every_line_that_cannot_be_used_is_named() -> None:
    text = (
        "number,state,at\n12,away,\nhello,out,\n+12025550123,in,yesterday\n"
        "202 555 0123,,2026-01-01\n"
    )
    with pytest.raises(ValueError, match="line 2: state 'away'") as caught:
        from_csv(text, country="US", at=NOON, evidence="")
    told = str(caught.value)
    assert "line 3: 'hello' is not a telephone number" in told
    assert "line 4: 'yesterday' is not an instant" in told
    assert "line 5: '2026-01-01' needs its offset" in told
    with pytest.raises(ValueError, match="no column 'number'"):
        from_csv("name,phone\nAnn,2025550123\n", country="US", at=NOON, evidence="")
    assert from_csv("", country="US", at=NOON, evidence="") == []
