from ucr.auth.sign_in import COPILOT, SignIn


def test_every_address_that_is_sent_a_secret_is_named() -> None:
    assert [name for name, _ in COPILOT.urls] == ["token_url", "device_url", "exchange_url"]
    assert SignIn("id", "https://t.test").urls == (("token_url", "https://t.test"),)
