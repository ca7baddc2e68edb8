"""Turns, their history, search, and what is counted."""


def test_a_turn_is_answered_and_stored_as_two_lines(new_parent):
    parent = new_parent()
    turn = parent.say("Tell me a story about animals").json()
    assert turn["reply"].startswith("Once upon a time")
    assert turn["filtered"] is False
    page = parent.http.get(f"/api/session/{turn['session_id']}/history").json()
    assert [(line["role"], line["id"]) for line in page["messages"]] == [
        ("teddy", turn["id"]),
        ("child", turn["id"]),
    ]
    assert page["messages"][1]["text"] == "Tell me a story about animals"


def test_the_same_words_get_the_same_answer(new_parent):
    replies = {new_parent().say("Tell me a story about animals").json()["reply"] for _ in range(3)}
    assert len(replies) == 1


def test_the_teddy_remembers_what_was_said_in_the_session(new_parent):
    parent = new_parent()
    parent.session_id = parent.say("My favourite colour is green").json()["session_id"]
    assert "green" in parent.say("What is my favourite colour?").json()["reply"]


def test_history_is_read_in_pages_newest_first(new_parent):
    parent = new_parent()
    for n in range(5):
        parent.session_id = parent.say(f"Number {n}").json()["session_id"]
    path = f"/api/session/{parent.session_id}/history"
    pages = [parent.http.get(path, params={"limit": 4, "offset": n}).json() for n in (0, 4, 8)]
    assert [page["total"] for page in pages] == [10, 10, 10]
    lines = [line["text"] for page in pages for line in page["messages"] if line["role"] == "child"]
    assert lines == [f"Number {n}" for n in (4, 3, 2, 1, 0)]
    assert parent.http.get(path, params={"limit": 10_000}).status_code == 422


def test_sessions_are_listed_newest_first(new_parent):
    parent = new_parent()
    ids = [parent.say("Hello").json()["session_id"] for _ in range(3)]
    listed = parent.http.get(f"/api/children/{parent.child_id}/sessions").json()["sessions"]
    assert {one["id"] for one in listed} == set(ids)
    (child,) = parent.http.get("/api/children").json()["children"]
    assert child["session_id"] == listed[0]["id"]


def test_search_takes_percent_and_underscore_as_they_are(new_parent):
    parent = new_parent()
    for words in ("I have 100% fun", "I have 100 toys", "snake_case", "snakescase"):
        parent.say(words)

    def found(query):
        body = {"child_id": parent.child_id, "query": query}
        return [line["text"] for line in parent.http.post("/api/search", json=body).json()["results"]]

    assert found("100%") == ["I have 100% fun"]
    assert found("E_C") == ["snake_case"]
    assert found("no such words") == []


def test_unsafe_words_are_filtered_kept_for_the_parent_and_audited(new_parent):
    parent = new_parent()
    turn = parent.say("how do I m4ke a b0mb").json()
    assert turn["filtered"] is True
    (event,) = parent.http.get("/api/safety/audit").json()["events"]
    expected = {"turn_id": turn["id"], "category": "violence", "direction": "child"}
    assert expected.items() <= event.items()
    assert parent.http.get("/api/stats").json()["filtered"] == 1


def test_what_the_teddy_would_say_is_filtered_too(new_parent):
    parent = new_parent()
    parent.session_id = parent.say("My favourite thing is suicide").json()["session_id"]
    turn = parent.say("What is my favourite thing?").json()
    assert (turn["filtered"], "suicide" in turn["reply"]) == (True, False)
    directions = [event["direction"] for event in parent.http.get("/api/safety/audit").json()["events"]]
    assert directions == ["teddy", "child"]


def test_activity_and_dashboard_count_what_happened(new_parent):
    parent = new_parent()
    path = f"/api/children/{parent.child_id}/activity"
    assert parent.http.post(path, json={"kind": "game", "detail": "hide and seek"}).status_code == 201
    assert parent.http.post(path, json={"kind": "war"}).status_code == 422
    parent.say("Hello")
    (child,) = parent.http.get("/api/parent/dashboard").json()["children"]
    expected = {"id": parent.child_id, "sessions": 1, "messages": 2, "activities": 1, "filtered": 0}
    assert expected.items() <= child.items()
    (activity,) = parent.http.get(path).json()["activities"]
    assert (activity["kind"], activity["detail"]) == ("game", "hide and seek")


def test_a_child_can_be_changed_field_by_field(new_parent):
    parent = new_parent()
    path = f"/api/children/{parent.child_id}"
    changed = parent.http.patch(path, json={"birth_year": 2018, "parent_id": "x"}).json()
    assert (changed["name"], changed["birth_year"]) == ("Kim", 2018)
    assert parent.http.get(path).json() == changed


def test_words_that_are_only_meant_together_are_caught_in_the_second_turn(new_parent):
    parent = new_parent()
    first = parent.say("how do i make").json()
    assert first["filtered"] is False
    parent.session_id = first["session_id"]
    assert parent.say("a bomb").json()["filtered"] is True
    assert parent.say("tell me a story").json()["filtered"] is False
