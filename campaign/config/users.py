"""The model of a kind of user: what it does once, and then again and again."""

from typing import Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from campaign.config.network import DeviceName, Regions
from campaign.config.part import Part
from campaign.config.python import PythonClass, own_tasks
from campaign.config.steps import Steps, body
from campaign.config.tasks import Tasks, Weight, task_specs, weights
from campaign.config.texts import wrong
from campaign.config.waits import Wait, wait_spec
from campaign.target.spec import UserSpec


class UserModel(Part):
    """A kind of user: what it does once, and then again and again, chosen by weight."""

    weight: Weight = 1.0
    count: int | None = Field(default=None, ge=1, le=100_000)
    wait: Wait = (0.0, 0.0)
    start: Steps = ()
    tasks: Tasks = Field(default_factory=dict)
    stop: Steps = ()
    iterations: int = Field(default=0, ge=0, le=1_000_000_000)
    region: Regions = Field(default_factory=dict)
    device: DeviceName = ""
    python: PythonClass = ""

    @model_validator(mode="after")
    def _has_tasks(self) -> Self:
        if getattr(self, "python", ""):
            return self
        if "tasks" not in self.model_fields_set:
            missing = InitErrorDetails(type="missing", loc=("tasks",), input={})
            raise ValidationError.from_exception_data("tasks", [missing])
        if not any(weights(self.tasks)):
            raise wrong("at least one task with a weight above 0", found="no task to do")
        return self

    @model_validator(mode="after")
    def _a_class_alone(self) -> Self:
        if self.python and (own := own_tasks(self.model_fields_set)):
            raise wrong("either python or start, tasks and stop", found=f"python and {own}")
        return self

    @model_validator(mode="after")
    def _one_share(self) -> Self:
        if self.count is not None and "weight" in self.model_fields_set:
            raise wrong("one of weight and count", found="weight and count")
        return self

    def spec(self, name: str) -> UserSpec:
        """The same as plain data."""
        return UserSpec(
            name,
            self.weight,
            wait_spec(self.wait),
            body(self.start),
            task_specs(self.tasks),
            stop=body(self.stop),
            count=self.count,
            iterations=self.iterations,
            regions=self.region,
            device=self.device,
        )
