"""Requests go out as the campaign file says, whatever a hostile target put into a saved value."""

import base64
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaign import __version__
from campaign.errors import ConfigurationError
from campaign.target.expression import TemplateError
from campaign.target.operation import compile_operation
from campaign.target.origin import Origin, split_url
from campaign.target.request import follow
from campaign.target.scope import RenderError, Scope
from campaign.target.spec import BodySpec, OperationSpec, PartSpec, ServiceSpec, TargetSpec

TARGET = TargetSpec(
    url="http://127.0.0.1:8000/base/",
    headers={"X-Tenant": "t1"},
    services={"speech": ServiceSpec("https://speech.example", auth="key-1")},
)


def operation(method="GET", path="/x", **fields):
    return compile_operation(OperationSpec("op", method, path, **fields), TARGET)


def scope(**values):
    user = Scope(1)
    user.values.update(values)
    return user


def built(method="GET", path="/x", values=None, **fields):
    return operation(method, path, **fields).build(scope(**(values or {})))


def header(request, name):
    found = [
        line.split(b": ", 1)[1]
        for line in request.head.split(b"\r\n")
        if line.lower().startswith(name + b": ")
    ]
    assert len(found) <= 1
    return found[0].decode() if found else None


def test_a_whole_request_is_exactly_these_bytes():
    request = built(
        "POST",
        "/say/{{ id }}",
        values={"id": "a/b", "token": "abc", "text": "Bär"},
        query={"q": "x y"},
        auth="{{ token }}",
        body=BodySpec(has_json=True, json={"text": "{{ text }}"}),
    )
    assert request.wire(b"Cookie: s=1\r\n").decode() == (
        "POST /base/say/a%2Fb?q=x%20y HTTP/1.1\r\n"
        "Host: 127.0.0.1:8000\r\n"
        f"User-Agent: campaign/{__version__}\r\n"
        "Accept: */*\r\n"
        "Accept-Encoding: gzip, deflate\r\n"
        "Content-Type: application/json\r\n"
        "X-Tenant: t1\r\n"
        "Authorization: Bearer abc\r\n"
        "Content-Length: 15\r\n"
        "Cookie: s=1\r\n"
        "\r\n"
        '{"text":"Bär"}'
    )
    assert (request.origin, request.method, request.target) == (
        Origin("http", "127.0.0.1", 8000),
        "POST",
        "/base/say/a%2Fb?q=x%20y",
    )
    assert str(request) == "POST http://127.0.0.1:8000/base/say/a%2Fb?q=x%20y"


def test_a_request_that_never_changes_is_built_once():
    constant = operation("GET", "/health")
    assert constant.build(scope()) is constant.build(scope())


@settings(deadline=None)
@given(st.text())
def test_no_value_can_leave_its_place_in_the_path_or_query(value):
    request = built("GET", "/a/{{ v }}/b?c={{ v }}", values={"v": value}, query={"d": "{{ v }}"})
    path, _, query = request.target.partition("?")
    readable = value.encode("utf-8", "replace").decode()
    assert [unquote(each) for each in path.split("/")] == ["", "base", "a", readable, "b"]
    assert parse_qsl(query, keep_blank_values=True) == [("c", readable), ("d", readable)]


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b"])
@pytest.mark.parametrize("fields", [{"headers": {"X-V": "{{ v }}"}}, {"auth": "{{ v }}"}])
def test_no_value_can_start_a_header_of_its_own(value, fields):
    with pytest.raises(RenderError, match="line break or control character"):
        built(values={"v": value}, **fields)


def test_a_line_break_in_the_file_is_a_mistake_of_the_file():
    with pytest.raises(ConfigurationError, match="operation 'op': header 'X-V'"):
        operation(headers={"X-V": "a\r\nb"})


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"auth": "{{ t }}"}, "Bearer tok"),
        ({"auth": "Basic {{ t }}"}, "Basic tok"),
        ({"auth": "fixed"}, "Bearer fixed"),
        ({"service": "speech"}, "Bearer key-1"),
        ({"service": "speech", "auth": "own"}, "Bearer own"),
        ({"service": "speech", "headers": {"authorization": "raw"}}, "raw"),
        ({"headers": {"Authorization": "{{ t }}"}}, "tok"),
        ({}, None),
    ],
)
def test_authorization_is_what_the_operation_or_else_its_service_says(fields, sent):
    assert header(built(values={"t": "tok"}, **fields), b"authorization") == sent


def test_a_service_gets_none_of_the_targets_own_headers():
    request = built(service="speech")
    assert request.origin == Origin("https", "speech.example", 443)
    assert (header(request, b"host"), header(request, b"x-tenant")) == ("speech.example", None)


def test_headers_nearer_to_the_operation_win():
    request = built(headers={"user-agent": "mine", "x-tenant": "t2"})
    assert (header(request, b"user-agent"), header(request, b"x-tenant")) == ("mine", "t2")


@pytest.mark.parametrize(
    ("method", "length"), [("GET", None), ("DELETE", None), ("POST", "0"), ("PUT", "0"), ("PATCH", "0")]
)
def test_an_empty_body_is_announced_where_one_is_usual(method, length):
    assert header(built(method), b"content-length") == length


def test_a_form_is_encoded_as_browsers_do():
    request = built("POST", values={"v": "a&b=c é"}, body=BodySpec(form={"k 1": "{{ v }}", "k2": "x y"}))
    assert request.body == b"k+1=a%26b%3Dc+%C3%A9&k2=x+y"
    assert header(request, b"content-type") == "application/x-www-form-urlencoded"


def test_a_raw_body_goes_out_as_it_is():
    request = built(
        "POST", values={"v": "é"}, body=BodySpec(raw="<a>{{ v }}</a>"), headers={"Content-Type": "text/xml"}
    )
    assert request.body == "<a>é</a>".encode()
    assert header(request, b"content-type") == "text/xml"


def test_a_null_is_a_json_body_too():
    assert built("POST", body=BodySpec(has_json=True)).body == b"null"


def test_a_multipart_body_carries_texts_and_files(tmp_path):
    audio = tmp_path / "a.wav"
    audio.write_bytes(b"\x00\r\n\xff")
    parts = (PartSpec("say", text="{{ v }}"), PartSpec("audio", file=str(audio), content_type="audio/wav"))
    request = built("POST", values={"v": "hi"}, body=BodySpec(multipart=parts))
    boundary = header(request, b"content-type").split("boundary=")[1].encode()
    assert request.body == (
        b"--%b\r\n"
        b'Content-Disposition: form-data; name="say"\r\n\r\nhi\r\n'
        b"--%b\r\n"
        b'Content-Disposition: form-data; name="audio"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
        b"\x00\r\n\xff\r\n"
        b"--%b--\r\n" % (boundary, boundary, boundary)
    )
    again = built("POST", values={"v": "hi"}, body=BodySpec(multipart=parts))
    assert again.wire() == request.wire()


def test_the_name_of_an_uploaded_file_is_a_template_too():
    parts = (PartSpec("note", text="x", filename='{{ v }}-"1".txt'),)
    request = built("POST", values={"v": 'a"\r\nb'}, body=BodySpec(multipart=parts))
    assert b'filename="a%22%0D%0Ab-%221%22.txt"' in request.body


def test_a_value_that_holds_the_boundary_is_not_sent():
    parts = (PartSpec("say", text="{{ v }}"),)
    boundary = header(built("POST", values={"v": ""}, body=BodySpec(multipart=parts)), b"content-type").split(
        "="
    )[1]
    with pytest.raises(RenderError, match="boundary"):
        built("POST", values={"v": f"\r\n--{boundary}--"}, body=BodySpec(multipart=parts))


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"path": "x"}, "path 'x' does not begin with /"),
        ({"path": "/x#y"}, "holds a #"),
        ({"method": "GE T"}, "'GE T' is not an HTTP method"),
        ({"service": "none"}, "there is no service 'none'"),
        ({"headers": {"Content-Length": "3"}}, "header 'Content-Length' cannot be set"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "header 'Transfer-Encoding' cannot be set"),
        ({"headers": {"X Y": "3"}}, "header 'X Y' cannot be set"),
        (
            {"body": BodySpec(multipart=(PartSpec("a", file="/nowhere/a.wav"),))},
            "/nowhere/a.wav cannot be read",
        ),
        ({"save": {"id": "id"}}, "'id' is not a path"),
    ],
)
def test_a_mistake_names_the_operation_and_what_is_wrong(fields, complaint):
    with pytest.raises(ConfigurationError) as caught:
        operation(**fields)
    assert str(caught.value).startswith("operation 'op': ")
    assert complaint in str(caught.value)


def test_an_unknown_variable_is_a_mistake_of_the_file():
    spec = OperationSpec("op", "GET", "/{{ chid_id }}")
    with pytest.raises(TemplateError, match=r"operation 'op': .*did you mean child_id"):
        compile_operation(spec, TARGET, known={"child_id"})


@pytest.mark.parametrize(
    ("url", "origin", "path"),
    [
        ("http://h", Origin("http", "h", 80), ""),
        ("https://H:8443/a?b", Origin("https", "h", 8443), "/a?b"),
        ("http://[::1]:8000/", Origin("http", "::1", 8000), "/"),
        ("http://bücher.example/", Origin("http", "xn--bcher-kva.example", 80), "/"),
    ],
)
def test_a_url_is_split(url, origin, path):
    assert split_url(url) == (origin, path)


def test_the_host_header_of_an_ipv6_address_has_brackets():
    assert Origin("http", "::1", 8000).authority == "[::1]:8000"
    assert Origin("https", "h", 443).authority == "h"


@pytest.mark.parametrize(
    "url", ["ftp://h/", "h:80", "http://", "http://h:99999/", "http://user:pw@h/", "http://[/"]
)
def test_what_is_not_a_target_url_is_refused(url):
    with pytest.raises(ConfigurationError):
        split_url(url)


def test_credentials_in_a_url_are_not_repeated_in_the_message():
    secret = base64.b64encode(b"very secret").decode()
    with pytest.raises(ConfigurationError) as caught:
        split_url(f"http://user:{secret}@h/")
    assert secret not in str(caught.value)


POSTED = built("POST", "/a/b?c", auth="tok", body=BodySpec(has_json=True, json={"n": 1}))


@pytest.mark.parametrize(
    ("status", "location", "expected"),
    [
        (303, "/next", ("GET", "/next", True, b"")),
        (302, "next?x=1", ("GET", "/base/a/next?x=1", True, b"")),
        (307, "/next", ("POST", "/next", True, b'{"n":1}')),
        (308, "http://127.0.0.1:8000", ("POST", "/", True, b'{"n":1}')),
        (307, "http://127.0.0.1:8001/next", ("POST", "/next", False, b'{"n":1}')),
        (302, "//other.example/next", ("GET", "/next", False, b"")),
    ],
)
def test_a_redirect_is_followed_as_browsers_do(status, location, expected):
    method, target, authorized, body = expected
    following = follow(POSTED, status, location=location)
    assert (following.method, following.target, following.body) == (method, target, body)
    assert (header(following, b"authorization") is not None) is authorized
    assert header(following, b"content-length") == (str(len(body)) if body else None)
    assert header(following, b"host") == following.origin.authority
    assert following.wire().startswith(f"{method} {target} HTTP/1.1\r\n".encode())
    assert following.wire().count(b"\r\n\r\n") == 1


@pytest.mark.parametrize("location", ["ftp://h/", "javascript:alert(1)", "http://h:bad/", "http://[::1"])
def test_a_redirect_to_nowhere_is_none(location):
    assert follow(POSTED, 302, location=location) is None


@settings(deadline=None)
@given(st.text())
def test_no_location_can_start_a_header_of_its_own(location):
    following = follow(POSTED, 302, location=location)
    if following is not None:
        line, _, rest = following.wire().partition(b"\r\n")
        assert len(line.split(b" ")) == 3
        assert rest.startswith(b"Host: ")
