"""What the benches measure is work done: every venue has frames there, and each of them is read whole, both ways."""

from __future__ import annotations

import random

import pytest
from bench.corpora import corpora
from bench.corpora.corpus import Corpus
from bench.decode import checked, typed_of

from liquake.venues.registry import VENUES

CORPORA = corpora()


def test_every_venue_is_measured() -> None:
    assert {corpus.venue for corpus in CORPORA} == set(VENUES)


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda corpus: corpus.name)
def test_the_frames_of_the_benches_are_read_whole_and_as_without_the_scanner(corpus: Corpus) -> None:
    made = list(corpus.frames(random.Random("test"), 200))
    typed = typed_of(corpus)
    for frame, _ in made:
        typed(frame)
    checked(corpus, [frame for frame, _ in made], sum(number for _, number in made), corpus.instruments())
