"""Audio is uploaded byte for byte, by several users at once, with the content type that the file says."""

from __future__ import annotations

import io
import math
import socket
import struct
import threading
import time
import wave
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI, Form, UploadFile

from campaign.load.tally import Stage
from campaign.target.spec import BodySpec, ExpectSpec, FeedSpec, OperationSpec, OptionsSpec, PartSpec

RATE = 16_000


def tone(folder: Path, hertz: int) -> Path:
    """A second of a real sound, as a microphone of a toy would give it."""
    path = folder / f"{hertz}.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        values = (round(12_000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(RATE))
        file.writeframes(b"".join(struct.pack("<h", value) for value in values))
    return path


class VoiceAgent:
    """A FastAPI service that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str, bytes]] = []
        self.app = FastAPI()
        self.app.post("/voice", status_code=201)(self.listen)

    async def listen(self, audio: UploadFile, child: str = Form()) -> dict[str, float | str]:
        data = await audio.read()
        self.heard.append((child, audio.filename or "", audio.content_type or "", data))
        with wave.open(io.BytesIO(data)) as sound:
            return {"seconds": sound.getnframes() / sound.getframerate(), "child": child}


@pytest.fixture
def agent():
    agent = VoiceAgent()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(agent.app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        agent.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield agent
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def test_a_wav_arrives_byte_for_byte_from_every_user(agent, make_plan, run_here, tmp_path):
    low, high = tone(tmp_path, 220), tone(tmp_path, 880)
    operations = [
        OperationSpec(
            f"speak_{path.stem}",
            "POST",
            "/voice",
            body=BodySpec(
                multipart=(
                    PartSpec("child", text="{{ name }} {{ user.number }}"),
                    PartSpec("audio", file=str(path), filename="{{ name }}.wav", content_type="audio/wav"),
                )
            ),
            expect=ExpectSpec(status=(201,), json={"$.seconds": 1.0}),
            options=OptionsSpec(timeout=10.0),
        )
        for path in (low, high)
    ]
    feeds = {"name": FeedSpec("name", ('Kim "K"', "Zoë", "Lu"), order="per_user")}
    plan = make_plan(agent.url, *operations, users=8, hold=1.0, feeds=feeds)
    outcome = run_here(plan)
    assert outcome.errors == ()
    answered = sum(tally.count for (_, stage), tally in outcome.tallies.items() if stage is Stage.HOLD)
    assert len(agent.heard) == answered > 16
    assert {data for *_, data in agent.heard} == {low.read_bytes(), high.read_bytes()}
    assert {content_type for _, _, content_type, _ in agent.heard} == {"audio/wav"}
    names = ['Kim "K"', "Zoë", "Lu"]
    assert {child for child, *_ in agent.heard} == {f"{names[n % 3]} {n + 1}" for n in range(8)}
    assert {name for _, name, _, _ in agent.heard} == {"Kim %22K%22.wav", "Zoë.wav", "Lu.wav"}


def test_a_file_alone_is_named_and_typed_by_itself(agent, make_plan, run_here, tmp_path):
    path = tone(tmp_path, 440)
    parts = (PartSpec("child", text="Kim"), PartSpec("audio", file=str(path)))
    speak = OperationSpec("speak", "POST", "/voice", body=BodySpec(multipart=parts))
    assert run_here(make_plan(agent.url, speak)).errors == ()
    assert agent.heard[0] == ("Kim", "440.wav", "application/octet-stream", path.read_bytes())
