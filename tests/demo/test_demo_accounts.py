"""Signing up, in and out, and what tokens are good for."""

from http import HTTPStatus

PASSWORD = "a-good-password"


def me(demo, token):
    with demo.client(token) as client:
        return client.get("/api/user/me")


def test_a_registered_parent_is_signed_in_and_can_sign_in_again(demo, new_parent):
    parent = new_parent()
    with demo.client() as client:
        answer = client.post(
            "/api/auth/login/json", json={"email": parent.email.upper(), "password": PASSWORD}
        )
    assert answer.status_code == 200
    assert answer.json()["parent_id"] == parent.tokens["parent_id"]
    assert me(demo, answer.json()["access_token"]).json()["email"] == parent.email


def test_an_address_can_be_registered_once(demo, new_parent):
    parent = new_parent()
    with demo.client() as client:
        body = {"email": parent.email, "password": PASSWORD, "name": "Pat"}
        answer = client.post("/api/auth/register", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")


def test_a_wrong_password_and_an_unknown_address_are_refused_in_the_same_words(demo, new_parent):
    parent = new_parent()
    with demo.client() as client:
        wrong = client.post("/api/auth/login/json", json={"email": parent.email, "password": "not it"})
        unknown = client.post("/api/auth/login/json", json={"email": "x@example.com", "password": "not it"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


def test_no_token_and_a_wrong_token_are_refused(demo):
    for token in (None, "wrong", "x" * 5_000):
        answer = me(demo, token)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_signed_in")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_logout_ends_the_access_and_the_refresh_token(demo, new_parent):
    parent = new_parent()
    assert parent.http.post("/api/auth/logout").status_code == 204
    assert me(demo, parent.tokens["access_token"]).status_code == 401
    with demo.client() as client:
        body = {"refresh_token": parent.tokens["refresh_token"]}
        assert client.post("/api/auth/refresh", json=body).status_code == 401


def test_refreshing_ends_the_old_access_token_and_gives_new_ones(demo, new_parent):
    parent = new_parent()
    with demo.client() as client:
        answer = client.post("/api/auth/refresh", json={"refresh_token": parent.tokens["refresh_token"]})
    assert answer.status_code == 200
    assert me(demo, answer.json()["access_token"]).status_code == 200
    assert me(demo, parent.tokens["access_token"]).status_code == 401


def test_a_refresh_token_used_twice_is_refused_and_ends_the_sign_in(demo, new_parent):
    parent = new_parent()
    old = {"refresh_token": parent.tokens["refresh_token"]}
    with demo.client() as client:
        new = client.post("/api/auth/refresh", json=old).json()
        assert client.post("/api/auth/refresh", json=old).status_code == 401
        assert me(demo, new["access_token"]).status_code == 401
        assert (
            client.post("/api/auth/refresh", json={"refresh_token": new["refresh_token"]}).status_code == 401
        )


def test_an_access_token_is_no_refresh_token(demo, new_parent):
    parent = new_parent()
    with demo.client() as client:
        body = {"refresh_token": parent.tokens["access_token"]}
        assert client.post("/api/auth/refresh", json=body).status_code == 401
    assert me(demo, parent.tokens["refresh_token"]).status_code == 401


def test_a_parent_can_change_the_name_and_nothing_else(new_parent):
    parent = new_parent()
    answer = parent.http.patch("/api/user/me", json={"name": "Sam", "email": "other@example.com", "id": "x"})
    expected = {"id": parent.tokens["parent_id"], "email": parent.email, "name": "Sam"}
    assert expected.items() <= answer.json().items()


def test_seeded_parents_have_a_child_with_a_session_and_history(demo):
    with demo.login(3) as client:
        (child,) = client.get("/api/children").json()["children"]
        history = client.get(f"/api/session/{child['session_id']}/history", params={"limit": 7}).json()
    assert (history["total"], len(history["messages"])) == (100, 7)


def test_tokens_expire(start):
    with start("--seed-history", "0", "--access-token-hours", "0") as demo, demo.login() as client:
        assert client.get("/api/user/me").status_code == HTTPStatus.UNAUTHORIZED
