"""The corpus: 3,000 that differ, of every kind, as people write."""

import re
from collections import Counter

import pytest

from loadtests import corpus
from loadtests.corpus import TEXT_MAX, distinct, load
from moderation.text import clean


def test_three_thousand_differ_and_come_out_the_same_again() -> None:
    found = distinct(3_000, seed=1)
    assert len({message.text for message in found}) == 3_000
    assert found == distinct(3_000, seed=1)
    assert found != distinct(3_000, seed=2)


def test_every_kind_and_topic_is_there_and_none_drowns_the_others() -> None:
    found = distinct(3_000, seed=3)
    kinds, topics = Counter(m.kind for m in found), Counter(m.topic for m in found)
    assert set(kinds) == {"question", "opinion", "complaint", "praise", "smalltalk"}
    assert min(kinds.values()) > 60
    assert len(topics) == 16
    assert max(topics.values()) < 600


def test_they_are_short_and_long_with_emoji_and_typos() -> None:
    found = [message.text for message in distinct(3_000, seed=4)]
    assert min(map(len, found)) < 12
    assert max(map(len, found)) > 200
    assert all(len(text) <= TEXT_MAX for text in found)
    assert sum(bool(re.search("[\U0001f300-\U0001faff]", text)) for text in found) > 60
    written = {message.text for message in load()}
    assert len([text for text in written if text in found]) == len(written)


def test_no_place_is_left_open_and_nothing_is_cleaned_away() -> None:
    for message in distinct(3_000, seed=5):
        assert "{" not in message.text
        assert clean(message.text) == message.text


def test_no_sentence_stands_behind_more_than_a_few() -> None:
    texts = [message.text for message in distinct(3_000, seed=6)]
    for message in load():
        assert sum(message.text in text for text in texts) < 25, message.text


def test_more_than_there_are_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "TEMPLATED", 0.0)
    monkeypatch.setattr(corpus, "_varied", lambda message, source, chance: message)
    with pytest.raises(ValueError, match=f"only {len(load())} distinct messages"):
        distinct(len(load()) + 1, seed=1)
