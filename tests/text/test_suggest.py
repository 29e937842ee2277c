from midstream.text.suggest import did_you_mean, nearest


def test_nearest() -> None:
    assert nearest("reqest", ["request", "response"]) == "request"
    assert nearest("REQEST", ["request"]) == "request"
    assert nearest("zzz", ["request", "response"]) is None
    assert nearest("", ["request"]) is None
    assert nearest("request" * 1000, ["request"]) is None


def test_did_you_mean() -> None:
    assert did_you_mean("revers", ["regular", "reverse"]) == "; did you mean 'reverse'?"
    assert did_you_mean("zzz", ["regular"]) == ""
