"""Values that are not in memory yet: whoever gets an object with one sees no difference."""

import copy
import pickle
from typing import Any

import pytest

from midstream.flows.elsewhere import Elsewhere, put_elsewhere
from midstream.flows.http import Response
from midstream.flows.tcp import TCPFlow
from midstream.testing.flows import ttcpflow
from midstream.testing.messages import tresp


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
@pytest.mark.parametrize("body", [b"large", None])
def test_a_copy_of_whatever_make_has_what_was_elsewhere(again: Any, body: bytes | None) -> None:
    response = tresp()
    put_elsewhere(response, Elsewhere((1, 1), 5, lambda: body))
    made = again(response)
    assert type(made) is Response
    assert made.raw_content == body
    assert made.headers == response.headers


def test_a_flow_is_pickled_with_the_messages_that_were_elsewhere() -> None:
    flow = ttcpflow()
    said = flow.messages
    put_elsewhere(flow, Elsewhere((1, 2), len(said), lambda: said))
    made = pickle.loads(pickle.dumps(flow))
    assert type(made) is TCPFlow
    assert [each.content for each in made.messages] == [each.content for each in said]
