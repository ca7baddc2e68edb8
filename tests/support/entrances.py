"""What the sessions and transport parts of the safety phase are told of the demo, and its operations."""

from family import FILE

OPERATIONS = """
  enroll:
    request: POST /api/auth/register
    json: {email: "{{ canary }}@example.com", password: "{{ canary }}", name: "Pat {{ canary }}"}
    expect: 201
    save: {token: $.access_token, refresh_token: $.refresh_token, parent_id: $.parent_id}
  login_again:
    request: POST /api/auth/login/json
    json: {email: "{{ canary }}@example.com", password: "{{ canary }}"}
    expect: 200
    save: {token: $.access_token, refresh_token: $.refresh_token}
  login_for_a_second:
    request: POST /api/auth/login/json
    json: {email: "{{ canary }}@example.com", password: "{{ canary }}", good_for_s: 1}
    expect: 200
    save: {token: $.access_token, refresh_token: $.refresh_token}
  renew:
    request: POST /api/auth/refresh
    json: {refresh_token: "{{ refresh_token }}"}
    expect: 200
    save: {token: $.access_token, refresh_token: $.refresh_token}
  logout: {request: POST /api/auth/logout, auth: "{{ token }}", expect: 204}
  new_password:
    request: POST /api/user/password
    auth: "{{ token }}"
    json: {password: "{{ canary }}", new_password: "other {{ canary }}"}
    expect: 200
    save: {token: $.access_token, refresh_token: $.refresh_token}
  old_password:
    request: POST /api/user/password
    auth: "{{ token }}"
    json: {password: "other {{ canary }}", new_password: "{{ canary }}"}
    expect: 200
    save: {token: $.access_token, refresh_token: $.refresh_token}
  leave: {request: POST /api/gdpr/delete, auth: "{{ token }}", json: {password: "{{ canary }}"}, expect: 204}
  welcome: {request: GET /api/auth/welcome, expect: 200}
  rename_parent:
    request: PATCH /api/user/me
    auth: "{{ token }}"
    json: {name: "Pat {{ canary }}"}
    expect: 200
  dashboard: {request: GET /api/parent/dashboard, auth: "{{ token }}", expect: 200}
  pair_toy:
    request: POST /api/children/{{ child_id }}/toy
    auth: "{{ token }}"
    json: {}
    expect: 201
    save: {toy_token: $.toy_token}
  pair_for_a_second:
    request: POST /api/children/{{ child_id }}/toy
    auth: "{{ token }}"
    json: {good_for_s: 1}
    expect: 201
    save: {toy_token: $.toy_token}
  unpair_toy: {request: "DELETE /api/children/{{ child_id }}/toy", auth: "{{ token }}", expect: 204}
  toy: {request: GET /api/toy, auth: "{{ toy_token }}", expect: 200}
  talk_to_toy:
    request: POST /api/toy/conversation
    auth: "{{ toy_token }}"
    json: {text: "My word is {{ canary }}"}
    expect: 200
    save: {session_id: $.session_id}
  story_page:
    request: GET /api/session/{{ session_id }}/history
    auth: "{{ token }}"
    query: {limit: 5}
    expect: 200
"""

ROLES = {
    "parent": {"start": ["enroll"], "stop": ["leave"], "credentials": ["token"]},
    "toy": {
        "of": "parent",
        "start": ["create_child", "give_consent", "pair_toy", "talk_to_toy"],
        "credentials": ["toy_token"],
    },
}

SESSIONS = {
    "sign_ins": {
        "parent": {
            "token": "token",
            "protected": "me",
            "login": "login_again",
            "logout": "logout",
            "change_password": ["new_password", "old_password"],
            "delete": "leave",
            "refresh": "renew",
            "expired": {"make": "login_for_a_second", "after": "1.2s"},
        },
        "toy": {
            "token": "toy_token",
            "protected": "toy",
            "logout": "unpair_toy",
            "delete": "delete_child",
            "expired": {"make": "pair_for_a_second", "after": "1.2s"},
            "lacks": ["refresh", "password"],
        },
    },
    "fixation": {
        "role": "parent",
        "visit": "welcome",
        "cookie": "teddy_session",
        "login": "login_again",
        "protected": "me",
    },
    "ids": {
        "token": {"role": "parent", "make": "login_again"},
        "refresh_token": {"role": "parent", "make": "login_again"},
        "child_id": {"role": "parent", "make": "create_child"},
        "session_id": {"role": "toy", "make": "talk_to_toy"},
    },
    "mass_assignment": {
        "enroll": {"role": "parent", "read": "me"},
        "rename_parent": {"role": "parent", "read": "me"},
        "create_child": {"role": "parent", "read": "get_child"},
        "rename": {"role": "toy", "read": "get_child"},
    },
    "excessive": {
        "me": {"role": "parent", "fields": ["id", "email", "name", "created_at_ms"]},
        "toy": {"role": "toy"},
        "dashboard": {"role": "parent"},
    },
    "functions": {
        "toy": {"by": "parent", "operations": ["me", "dashboard", "children", "give_consent", "delete_child"]}
    },
    "page_size": {
        "story_page": {"role": "toy", "parameter": "limit", "items": "$.messages", "most": 200},
    },
}


def entrance_file(url, database=""):
    """The campaign of families with further operations, aimed at a service."""
    text = FILE.replace("http://127.0.0.1:9", url).replace("\nusers:\n", f"{OPERATIONS}users:\n", 1)
    if database:
        text = text.replace("health: GET /health}", f'health: GET /health, database: "{database}"}}')
    return text


TRANSPORT = {
    "role": "toy",
    "operations": ["welcome", "me", "get_child", "story_page", "talk_to_toy", "search", "rename"],
}
