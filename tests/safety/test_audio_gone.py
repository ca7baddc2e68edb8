"""A child's voice is gone when it has served: on the demo, in folders, in whatever it is packed."""

import io
import os
import wave
from base64 import b64encode
from random import Random

import pytest
from family import judged, running_demo

from campaign.records import Evidence, Outcome
from campaign.target.request import Request
from phases.safety.audio.judge import findings
from phases.safety.audio.recording import NoRecordingError, once, put_in, wav
from phases.safety.audio.settings import AudioSettings
from phases.safety.audio.traces import in_folders

OTHERS = [
    "isolation", "consent", "crowd", "content", "sessions", "transport", "deletion", "retention", "quotas",
]  # fmt: skip
AUDIO = {
    "upload": "say_aloud",
    "role": "child",
    "within": "1s",
    "transcript": {"json": "$.heard", "kept_in": ["messages"]},
}
CHECKS = ["audio.deleted", "audio.deleted_after_cut", "audio.deleted_after_hang_up", "audio.transcript"]
WORD = "zq7k0123456789abcdef"


def outcomes(found):
    return {
        check: each.outcome.value
        for check, each in found.items()
        if check.startswith("audio.") and each.outcome is not Outcome.PASSED
    }


def told(found):
    return {check: each.message for check, each in found.items() if check.startswith("audio.")}


def on_demo(*options, **changes):
    with running_demo(*options) as (url, own):
        database = changes.pop("database", own)
        found, evidence = judged(url, database=database, skip=OTHERS, audio={**AUDIO, **changes})
    assert evidence.facts["cast"]["left"] == {}
    return found, evidence


def test_a_sound_service_keeps_no_recording():
    found, evidence = on_demo()
    assert outcomes(found) == {}, told(found)
    assert [check for check in found if check.startswith("audio.")] == CHECKS
    sent = evidence.facts["audio"]["recordings"]
    assert len({each["bytes"] for each in sent}) > 1
    assert "messages (1)" in found["audio.transcript"].message


@pytest.mark.defects
def test_a_recording_that_is_kept_is_found():
    found, _ = on_demo("--defect", "plaintext-audio-kept")
    assert found["audio.deleted"].outcome is Outcome.FAILED
    assert "still there 1 s later: database recordings (1)" in found["audio.deleted"].message
    # The one whose upload was cut never arrived; that of the client who left before the answer did.
    assert outcomes(found) == {"audio.deleted": "failed", "audio.deleted_after_hang_up": "failed"}, told(
        found
    )


@pytest.mark.defects
def test_words_where_nobody_declared_them_are_told():
    found, _ = on_demo(transcript={"json": "$.heard", "kept_in": ["transcripts"]})
    assert outcomes(found) == {"audio.transcript": "failed"}
    assert "database messages (1)" in found["audio.transcript"].message


@pytest.mark.defects
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"database": ""}, "there is nowhere to look"),
        ({"upload": "add_activity"}, "the upload has no part with a file"),
    ],
)
def test_what_proves_nothing_is_not_tested(changes, words):
    found, _ = on_demo(**changes)
    assert {check: outcomes(found)[check] for check in CHECKS} == dict.fromkeys(CHECKS, "inconclusive")
    assert "failed" not in outcomes(found).values()
    assert words in found["audio.deleted"].message


def test_a_recording_occurs_once_and_is_still_sound():
    first, second = (once(wav(b"\x80" * 100), WORD, random=Random(seed)) for seed in (1, 2))
    assert len(first.content) != len(second.content)
    with wave.open(io.BytesIO(first.content)) as sound:
        assert sound.getnframes() > 100 + len(WORD)
        assert sound.readframes(100) == b"\x80" * 100
    assert once(b"ID3 whatever", WORD, random=Random(1)).content.startswith(b"ID3 whatever" + WORD.encode())


@pytest.mark.parametrize("before", [b"", b"a", b"ab"])
def test_a_recording_is_found_in_whatever_it_was_packed(tmp_path, before):
    recording = once(wav(b"\x80" * 100), WORD, random=Random(1))
    (tmp_path / "deep").mkdir()
    for name, content in (
        ("plain.raw", before + recording.content[:-50]),
        ("hex.txt", (before + recording.content).hex().encode()),
        ("base64.json", b64encode(before + recording.content)),
        ("deep/same-length.enc", bytes(len(recording.content))),
        ("innocent.txt", b"a story"),
    ):
        (tmp_path / name).write_bytes(content)
    places, unread = in_folders((str(tmp_path),), recording, since=0.0)
    assert sorted(each.where.removeprefix(f"{tmp_path}/") for each in places) == [
        "base64.json", "deep/same-length.enc", "hex.txt", "plain.raw",
    ]  # fmt: skip
    assert unread == []


def test_a_file_of_before_accuses_nobody_by_its_length_alone(tmp_path):
    recording = once(wav(b"\x80" * 100), WORD, random=Random(1))
    path = tmp_path / "old.wav"
    path.write_bytes(bytes(len(recording.content)))
    os.utime(path, (1000, 1000))
    assert in_folders((str(tmp_path),), recording, since=2000.0) == ([], [])


def test_a_folder_that_is_not_there_proves_nothing(tmp_path):
    recording = once(wav(b""), WORD, random=Random(1))
    gone = str(tmp_path / "gone")
    assert in_folders((gone,), recording, since=0.0) == ([], [f"{gone} is no folder of this machine"])


def test_a_recording_takes_its_place_in_the_body_whatever_its_bytes():
    request = Request(None, "POST", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n", b"<<place>>")
    changed = put_in(request, b"place", b"\x00\xff\r\n")
    assert (changed.head, changed.body) == (b"POST / HTTP/1.1\r\nContent-Length: 8\r\n", b"<<\x00\xff\r\n>>")
    with pytest.raises(NoRecordingError):
        put_in(request, b"elsewhere", b"")


@pytest.mark.parametrize("mapped", [{}, AUDIO], ids=["nothing mapped", "never reached"])
def test_what_was_not_asked_is_not_tested(mapped):
    settings = AudioSettings.model_validate(mapped)
    found = list(findings(Evidence(), settings))
    assert [each.check for each in found] == CHECKS
    assert {each.outcome for each in found} == {Outcome.INCONCLUSIVE}
