"""Templates fill in what they name, and can reach nothing else."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaign.errors import ConfigurationError
from campaign.target.expression import TemplateError
from campaign.target.scope import RenderError, Scope
from campaign.target.template import compile_json, compile_text


def scope_with(**values):
    scope = Scope(7, "child", seed=3, wall=lambda: 1_700_000_000.25)
    scope.values.update(values)
    return scope


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain 100% {text}", "plain 100% {text}"),
        ("{{ name }}", "Ada"),
        ("<{{name}}> {{ name }}", "<Ada> Ada"),
        ("{{ account.email }}", "a@b"),
        ("{{ account['e mail'] }}", "c@d"),
        ("{{ rows[0] }}{{ rows[-1] }}", "13"),
        ("{{ rows }}", "[1,2,3]"),
        ("{{ flag }} {{ nothing }} {{ half }}", "true null 0.5"),
        ("{{ user.number:04d }} {{ user.kind }} {{ user.id }}", "0007 child user-7"),
        ("{{ account['a:b']:>4 }}", "   x"),
        ("{{ iteration }}", "0"),
        ("{{ now.unix }} {{ now.iso }}", "1700000000 2023-11-14T22:13:20.250+00:00"),
        ("{{ '{{' }} {{ 5 }}", "{{ 5"),
        ("{{ random.int(4, 4) }}", "4"),
        ("{{ random.float(-2, -2):.1f }}", "-2.0"),
        ("{{ random.choice('a') }}", "a"),
        ("a{{ name }}b{{ name }}c{{ name }}d{{ name }}%s", "aAdabAdacAdadAda%s"),
    ],
)
def test_a_text_is_filled_in(template, text):
    scope = scope_with(
        name="Ada",
        account={"email": "a@b", "e mail": "c@d", "a:b": "x"},
        rows=[1, 2, 3],
        flag=True,
        nothing=None,
        half=0.5,
    )
    assert compile_text(template).render(scope) == text


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{{ tokn }}", "{{ tokn }}: there is no tokn; did you mean token?"),
        ("{{ zzz }}", "there is no zzz; there are canary, fake, iteration, now, random, token, user"),
        ("{{ user.nmber }}", "there is no user.nmber; did you mean user.number?"),
        ("{{ fake.emial }}", "did you mean fake.email?"),
        ("{{ user }}", "user needs a field: user.id, user.kind, user.number"),
        ("{{ random.int }}", "write it as in random.int(1, 6)"),
        ("{{ random.int(6, 1) }}", "write it as in random.int(1, 6)"),
        ("{{ random.int('a', 2) }}", "write it as in random.int(1, 6)"),
        ("{{ random.int(token, 2) }}", "token is not a constant"),
        ("{{ random.choice() }}", "write it as in random.choice('red', 'blue')"),
        ("{{ random.dice(1) }}", "there is no random.dice"),
        ("{{ token + 'x' }}", "an expression is a name"),
        ("{{ __import__('os') }}", "an expression is a name"),
        ("{{ ().__class__ }}", "an expression is a name"),
        ("{{ token.upper() }}", "an expression is a name"),
        ("{{ [x for x in token] }}", "an expression is a name"),
        ("{{ f'{token}' }}", "an expression is a name"),
        ("{{ lambda: 1 }}", "an expression is a name"),
        ("{{ token[1:2] }}", "is not a constant"),
        ("{{ }}", "{{  }} is not an expression"),
        ("{{ a b }}", "is not an expression"),
        ("text {{ token", "opens {{ and does not close it"),
    ],
)
def test_a_wrong_expression_is_explained(template, complaint):
    with pytest.raises(TemplateError) as caught:
        compile_text(template, known={"token"})
    assert complaint in str(caught.value)
    assert isinstance(caught.value, ConfigurationError)


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{{ token }}", "variable 'token' has no value yet"),
        ("{{ account.phone }}", "'account' has no 'phone'"),
        ("{{ account.__class__ }}", "'account' has no '__class__'"),
        ("{{ account.email.__class__ }}", "'account.email' has no '__class__'"),
        ("{{ account['rows'][9] }}", "\"account['rows']\" has no 9"),
        ("{{ account.email:04d }}", "does not fit the format '04d'"),
        ("{{ odd }}", "cannot be written as JSON"),
    ],
)
def test_what_a_user_lacks_is_an_error_of_that_request_alone(template, complaint):
    scope = scope_with(account={"email": "a@b", "rows": [1]}, odd={1, 2})
    with pytest.raises(RenderError) as caught:
        compile_text(template).render(scope)
    assert complaint in str(caught.value)


def test_a_text_without_holes_is_known_to_be_constant():
    assert compile_text("50 % off").constant == "50 % off"
    assert compile_text("{{ user.id }}").constant is None
    assert compile_json({"a": [1, None]}).constant == b'{"a":[1,null]}'


def test_json_keeps_the_type_of_a_value_that_stands_alone():
    template = compile_json(
        {
            "n": "{{ n }}",
            "s": "{{ s }}",
            "mixed": "n={{ n }}",
            "whole": "{{ tree }}",
            "{{ s }}": [True, "{{ none }}"],
        }
    )
    rendered = template.render(scope_with(n=3, s='"x"', tree={"a": [1.5]}, none=None))
    assert json.loads(rendered) == {
        "n": 3,
        "s": '"x"',
        "mixed": "n=3",
        "whole": {"a": [1.5]},
        '"x"': [True, None],
    }


def test_what_json_cannot_say_is_refused_when_compiled():
    with pytest.raises(TemplateError, match="cannot be written as JSON"):
        compile_json({"when": {1, 2}})


PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=10,
)


@settings(deadline=None)
@given(PLAIN)
def test_any_saved_value_comes_through_json_unchanged(value):
    rendered = compile_json({"%v": "{{ value }}", "t": "<{{ text }}>"}).render(
        scope_with(value=value, text='"\\\n%s')
    )
    assert json.loads(rendered) == {"%v": value, "t": '<"\\\n%s>'}


@settings(deadline=None)
@given(st.text().filter(lambda text: "{{" not in text))
def test_a_text_without_expressions_comes_through_unchanged(text):
    assert compile_text(text).render(Scope(1)) == text
    assert json.loads(compile_json(text).render(Scope(1))) == text


def test_half_a_surrogate_pair_from_a_hostile_target_still_gives_valid_json():
    rendered = compile_json({"text": "{{ text }}"}).render(scope_with(text=json.loads('"\\ud800"')))
    assert rendered == b'{"text":"\\ud800"}'
