"""A journey of the campaign file, compiled for a kind of user, and one user's way through it."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Awaitable, Mapping, Sequence
from itertools import accumulate

from campaign.load.actions import (
    Action,
    Again,
    Branch,
    Breathing,
    ForEach,
    InTurn,
    Perform,
    PerformAndNote,
    Question,
    Rest,
    Timed,
    While,
)
from campaign.load.life import Done, Visit
from campaign.load.luck import Luck
from campaign.load.retry import PerformAgain
from campaign.load.rhythm import pausing
from campaign.load.session import Session
from campaign.load.step import Step
from campaign.target.condition import compile_condition, compile_list
from campaign.target.journey import Do, Group, If, Node, Pause, Repeat, TaskSpec
from campaign.target.spec import UserSpec


class Script:
    """What all users of one kind share: their actions and the weights of their tasks, added up."""

    __slots__ = ("start", "stop", "tasks", "weights")

    def __init__(self, spec: UserSpec, steps: Mapping[str, Step]) -> None:
        tasks: Mapping[str, TaskSpec] = spec.tasks
        self.start = compile_body(spec.start, steps)
        self.stop = compile_body(spec.stop, steps)
        self.tasks = tuple(compile_task(task, steps) for task in tasks.values())
        self.weights = tuple(accumulate(task.weight for task in tasks.values()))

    def enliven(self, session: Session, visit: Visit, luck: Luck) -> ScriptedLife:
        """The behaviour of one user."""
        return ScriptedLife(self, session, visit, luck)


class ScriptedLife:
    """One user's way through a script; what actions know of it is an `Actor`."""

    __slots__ = ("_script", "cut", "luck", "passes", "rested", "session", "visit")

    def __init__(self, script: Script, session: Session, visit: Visit, luck: Luck) -> None:
        self._script = script
        self.session = session
        self.visit = visit
        self.luck = luck
        self.rested = 0
        self.passes = 0
        self.cut = False

    def start(self, due: int) -> Awaitable[Done]:
        """All start steps, one after the other."""
        return self._script.start.run(self, due)

    def iterate(self, due: int) -> Awaitable[Done]:
        """One task, chosen by weight."""
        script = self._script
        tasks = script.tasks
        if len(tasks) == 1:
            return tasks[0].run(self, due)
        weights = script.weights
        return tasks[bisect(weights, self.luck.share() * weights[-1], hi=len(tasks) - 1)].run(self, due)

    def stop(self, due: int) -> Awaitable[Done]:
        """All stop steps; that something else was cut is over now."""
        self.cut = False
        return self._script.stop.run(self, due)


def compile_task(task: TaskSpec, steps: Mapping[str, Step]) -> Action:
    """The action for a task; one that is a single operation costs nothing more than it."""
    action = compile_body(task.body, steps)
    match task.body:
        case (Do(),):
            return action
    return Breathing(action)


def compile_body(body: Sequence[Node], steps: Mapping[str, Step]) -> Action:
    """The action for a body; `steps` has every operation that it names. Raises TemplateError."""
    actions = [compile_node(node, steps) for node in body]
    return actions[0] if len(actions) == 1 else InTurn(actions)


def compile_node(node: Node, steps: Mapping[str, Step]) -> Action:
    """The action for one node. Raises TemplateError."""
    match node:
        case Do(operation):
            return _perform(steps[operation])
        case Pause(wait):
            return Rest(pausing(wait))
        case If(condition, then, otherwise):
            question = Question(f"if: {condition}", compile_condition(condition))
            return Branch(question, compile_body(then, steps), compile_body(otherwise, steps))
        case Repeat():
            return _repeat(node, compile_body(node.body, steps))
        case Group(name, body):
            return Timed(name, compile_body(body, steps))


def _perform(step: Step) -> Action:
    if step.retry is not None:
        return PerformAgain(step, step.retry)
    noted = step.undo is not None or step.undoes
    return PerformAndNote(step) if noted else Perform(step)


def _repeat(node: Repeat, body: Action) -> Action:
    low, high = node.times
    if node.each:
        return ForEach(Question(f"in: {node.each}", compile_list(node.each)), node.name, body)
    if node.condition:
        question = Question(f"while: {node.condition}", compile_condition(node.condition))
        return While(question, body, most=high)
    return Again(body, low, high)
