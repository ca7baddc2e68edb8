"""The tasks of a kind of user: an operation and its weight, or steps with a weight and tags."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    Tag,
    ValidationError,
    ValidationInfo,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails

from campaign.config.part import Part
from campaign.config.steps import Steps, body
from campaign.config.texts import Name, wrong
from campaign.settings import unknown_name
from campaign.target.journey import Do, TaskSpec

MOST_TASKS = 1000

Weight = Annotated[float, Field(ge=0, le=1e9)]


class TaskModel(Part):
    """One thing that a user may do; without steps it is the operation of its name."""

    weight: Weight = 1.0
    tags: tuple[Name, ...] = ()
    steps: Steps | None = None

    def spec(self, name: str) -> TaskSpec:
        """The same as plain data."""
        nodes = (Do(name),) if self.steps is None else body(self.steps)
        return TaskSpec(self.weight, nodes, frozenset(self.tags))


def _form(value: Any) -> str:
    return "task" if isinstance(value, dict | TaskModel) else "weight"


Task = Annotated[Annotated[Weight, Tag("weight")] | Annotated[TaskModel, Tag("task")], Discriminator(_form)]


def _equal_weights(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return dict.fromkeys(value, 1.0)
    return value


def _known(tasks: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    """A task without steps has the name of an operation. Raises for all that have not."""
    operations = (info.context or {}).get("operations")
    mistakes = [] if operations is None else list(_mistakes(tasks, operations))
    if mistakes:
        raise ValidationError.from_exception_data("tasks", mistakes)
    return tasks


def _mistakes(tasks: dict[str, Any], operations: tuple[str, ...]) -> Iterator[InitErrorDetails]:
    for name, task in tasks.items():
        if (not isinstance(task, TaskModel) or task.steps is None) and name not in operations:
            yield InitErrorDetails(
                type=unknown_name("an operation", operations), loc=(name, "[key]"), input=name
            )
        if isinstance(task, TaskModel) and task.steps == ():
            yield InitErrorDetails(type=wrong("at least one step"), loc=(name, "task", "steps"), input=[])


class _OrNames:
    """A list of operations is a short form of equal weights; the schema says so."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Either form."""
        names = {"type": "array", "items": {"type": "string", "x-name-of": "operations"}}
        return {"anyOf": [handler(schema), names]}


Tasks = Annotated[
    dict[Name, Task],
    Field(max_length=MOST_TASKS),
    AfterValidator(_known),
    BeforeValidator(_equal_weights),
    _OrNames,
]
"""Names of tasks to weights or tasks."""


def task_specs(tasks: dict[str, Any]) -> dict[str, TaskSpec]:
    """The plain data of tasks."""
    return {
        name: task.spec(name) if isinstance(task, TaskModel) else TaskSpec.of(name, task)
        for name, task in tasks.items()
    }


def weights(tasks: dict[str, Any]) -> list[float]:
    """The weight of each task."""
    return [task.weight if isinstance(task, TaskModel) else task for task in tasks.values()]
