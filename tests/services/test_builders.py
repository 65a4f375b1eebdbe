"""The builders make what they say."""

import pytest

from carillon.models import Account
from tests.builders import PASSWORD, make_account, make_user


@pytest.mark.django_db
def test_a_user_belongs_to_an_account_and_can_sign_in() -> None:
    account = make_account(name="Meuniers")

    user = make_user(account=account)

    assert user.account == account
    assert user.check_password(PASSWORD)


@pytest.mark.django_db
def test_each_test_starts_empty() -> None:
    assert not Account.objects.exists()


def test_what_a_test_commits_stays_in_its_own_database(committed_db: str) -> None:
    import psycopg

    make_account()

    with psycopg.connect(committed_db) as other:
        assert other.execute("SELECT count(*) FROM account").fetchone() == (1,)
