"""What the API tells and takes, as the OpenAPI document shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema, UploadedFile
from pydantic import BaseModel, BeforeValidator, ConfigDict

from matcher.models import State
from tracks.basket import MOST_SEEDS
from tracks.models import ModelVersion

NO_NUL = r"^[^\x00]*$"  # PostgreSQL's texts hold everything else
Text = Annotated[str, Field(max_length=300, pattern=NO_NUL)]


def _number(value: Any) -> Any:
    """JSON knows no whole numbers, so 1.0 is 1; but neither true nor "1" is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a number")
    return value


Limit = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False, strict=True)]
SeedId = Annotated[int, Field(ge=1, le=2**63 - 1), BeforeValidator(_number)]
TrackIds = Annotated[list[SeedId], Field(max_length=MOST_SEEDS)]
Seconds = Annotated[list[float], Field(min_length=2, max_length=2, description="start and end")]


class AudioFile(UploadedFile):
    """A file that is not empty, as the document says."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "format": "binary", "minLength": 1}


class Failure(Schema):
    """Why a job was not answered. `code` is stable, the texts are for people."""

    code: str
    title: str
    detail: str
    advice: str
    can_be_tried_again: bool


class Stage(Schema):
    state: State
    label: str
    status: Literal["done", "now", "later"]
    entered_at: datetime | None = Field(None, description="where it is known")


class Job(Schema):
    """An upload, or a question without a file of its own, and the job that answers it."""

    id: UUID
    url: str = Field(description="of this job")
    result_url: str | None = Field(None, description="once its state is FINISHED")
    page_url: str = Field(description="of its page, for people")
    state: State
    ended: bool = Field(description="its state is FINISHED or FAILED, and will not change")
    position: int | None = Field(
        None, description="in the queue, where everybody takes turns; 1 is next"
    )
    wait_seconds: int | None = Field(
        None, description="until it is answered, from how long the last jobs took; if that is known"
    )
    stages: list[Stage] = Field(description="in order; empty for a job that has failed")
    failure: Failure | None = None
    name: str
    size: int = Field(description="bytes; 0 for a question without a file")
    duration: float | None = Field(None, description="seconds, once it was answered")
    parent: UUID | None = Field(None, description="the upload that the question is about")
    question: dict[str, Any] = Field(description="filters, span, like and unlike, if any")
    model_version: str | None = None
    created_at: datetime
    queued_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Page(Schema):
    count: int = Field(description="of all pages")
    page: int
    pages: int


class Jobs(Page):
    items: list[Job]


class Track(Schema):
    """A track of the catalogue."""

    id: int
    title: str
    artist: str
    soundtrack: str
    genre: str
    year: int | None = None
    licence: str
    source: str
    source_url: str
    duration: float | None = Field(None, description="seconds")
    url: str
    page_url: str = Field(description="of its page, for people")
    audio_url: str


class Tracks(Page):
    items: list[Track]


class Span(Schema):
    """Where the two pieces match, in seconds."""

    query: Seconds
    match: Seconds


class Reason(BaseModel):  # django-ninja's Schema would drop the numbers
    """Why the two sound alike; further numbers depend on the code."""

    model_config = ConfigDict(extra="allow")

    code: str
    text: str = Field(description="the reason and its numbers, in words")


class Match(Schema):
    rank: int = Field(ge=1, description="1 is the closest")
    track: Track
    score: float = Field(
        ge=0,
        le=100,
        description="per cent of the catalogue whose own best match is further away than this",
    )
    grade: str = Field(description="the score in words")
    same_recording: bool
    distance: float
    spans: list[Span]
    reasons: list[Reason] = Field(description="the strongest first")


class Result(Schema):
    """What an upload sounds like, closest first."""

    job_url: str
    name: str
    duration: float = Field(description="of the query, in seconds")
    model_version: str
    matches: list[Match]


class Version(Schema):
    """A model version and how much of the catalogue it has heard."""

    name: str
    # Not the class: two of the name State would be one in the OpenAPI document.
    state: str = Field(json_schema_extra={"enum": list(ModelVersion.State.values)})
    tracks: int = Field(description="of the catalogue")
    indexed: int
    pending: int
    failed: int
    created_at: datetime
    activated_at: datetime | None = None


class Versions(Schema):
    active: str | None = Field(None, description="the version that answers")
    queued: int = Field(description="jobs that wait")
    running: int
    items: list[Version]


class Complaint(Schema):
    where: str = Field(description="such as body.span or query.page")
    message: str


class Problem(Schema):
    """An error, by RFC 9457. `code` is stable, the texts are for people."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[Complaint] | None = Field(None, description="of a request that is not valid")


class Filters(Schema):
    """What the tracks that are found must fit. Of each range both ends are included."""

    model_config = ConfigDict(extra="forbid")

    soundtrack: Text = Field("", description="the whole text, as for artist, genre and licence")
    artist: Text = ""
    genre: Text = ""
    licence: Text = ""
    tempo_from: Limit | None = Field(None, description="beats a minute")
    tempo_to: Limit | None = None
    seconds_from: Limit | None = Field(None, description="length of the track")
    seconds_to: Limit | None = None


class Seeds(Schema):
    """Tracks that the answer is to be like and unlike, by their ids, and filters."""

    model_config = ConfigDict(extra="forbid")

    filters: Filters = Field(default_factory=lambda: Filters.model_validate({}))
    like: TrackIds = Field(default_factory=list)
    unlike: TrackIds = Field(default_factory=list)


class Question(Seeds):
    """Seeds, and the only stretch of the upload that counts."""

    span: Annotated[list[Limit], Field(min_length=2, max_length=2)] | None = Field(
        None, description="start and end in seconds"
    )
