"""Settings are read once and refuse what cannot be meant."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from carillon.config.env import BadSetting, read_settings


def test_defaults_run() -> None:
    settings = read_settings({})

    assert settings["PUBLIC_URL"] == "http://127.0.0.1:8000"
    assert settings["DATABASE_URL"] == ""
    assert settings["DEBUG"] is False
    assert settings["HOME"].is_absolute()


def test_other_programs_variables_are_not_ours() -> None:
    assert read_settings({"DEBUG": "1", "PUBLIC_URL": "x"})["DEBUG"] is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CARILLON_DEBUG", "maybe"),
        ("CARILLON_PUBLIC_URL", "sms.example.org"),
        ("CARILLON_PUBLIC_URL", "https://sms.example.org/carillon"),
        ("CARILLON_DATABASE_URL", "mysql://localhost/carillon"),
        ("CARILLON_DATABASE_POOL_SIZE", "-1"),
        ("CARILLON_DATABASE_POOL_SIZE", "many"),
        ("CARILLON_EMAIL_URL", "mail.example.org"),
        ("CARILLON_DATABASE_URL", "postgresql://localhost:port/carillon"),
        ("CARILLON_TIME_ZONE", "Paris"),
        ("CARILLON_LOG_LEVEL", "LOUD"),
        ("CARILLON_HOME", ""),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(name: str, value: str) -> None:
    if name == "CARILLON_HOME":
        value = " "
    with pytest.raises(BadSetting, match=name):
        read_settings({name: value})


def test_a_misspelt_name_is_refused() -> None:
    with pytest.raises(BadSetting, match="CARILLON_PUBLIC_ADDRESS"):
        read_settings({"CARILLON_PUBLIC_ADDRESS": "https://sms.example.org"})


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("very secret\n")

    assert read_settings({"CARILLON_SECRET_KEY_FILE": str(tmp_path / "key")})["SECRET_KEY"] == "very secret"


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="keep one"):
        read_settings({"CARILLON_SECRET_KEY": "a", "CARILLON_SECRET_KEY_FILE": str(tmp_path / "key")})


def test_a_secret_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="cannot read"):
        read_settings({"CARILLON_SECRET_KEY_FILE": str(tmp_path / "none")})


def test_only_secrets_come_from_files(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="not a setting"):
        read_settings({"CARILLON_DEBUG_FILE": str(tmp_path / "debug")})


def test_a_refused_secret_is_not_shown() -> None:
    with pytest.raises(BadSetting) as refused:
        read_settings({"CARILLON_DATABASE_URL": "mysql://carillon:hunter2@localhost/x"})

    assert "hunter2" not in str(refused.value)


def test_a_misspelt_setting_ends_a_command_with_one_sentence() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "carillon", "account", "list"],
        env={"CARILLON_PUBLIC_ADDRESS": "https://x.example"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 8
    assert ended.stderr.startswith("carillon: CARILLON_PUBLIC_ADDRESS is not a setting")
    assert ended.stderr.count("\n") == 1
