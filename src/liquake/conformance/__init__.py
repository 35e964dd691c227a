"""The conformance suite: what every venue must do alike, for liquake's own and for those of plug-ins.

    from liquake.conformance import Conformance

    class TestToy(Conformance):
        subjects = {Toy(): CASES}

Imports pytest: nothing else in liquake imports it.
"""

import pytest

pytest.register_assert_rewrite("liquake.conformance.suite", "liquake.conformance.recorded")

from liquake.conformance.cases import NOW, RECEIVED, Absent, Cases, Size, text  # noqa: E402
from liquake.conformance.suite import Conformance  # noqa: E402

__all__ = ["NOW", "RECEIVED", "Absent", "Cases", "Conformance", "Size", "text"]
