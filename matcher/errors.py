"""Why an upload could not be answered: families of codes and the one table of texts for people.

The visitor's family is about the file; trying again with the same file is no use. Ours is about
this site; the file is kept and can be queued again. The family of load is about how much there is
already; nothing is kept. Codes are stable, texts are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from matcher.limits import limits
from ml.errors import SoundError


class Family(Enum):
    VISITOR = "visitor"
    OURS = "ours"
    LOAD = "load"


# HTTP statuses of requests that are refused with a code, where it is not the usual one.
STATUSES = {
    "too-large": 413,
    "not-ended": 409,
    "queue-full": 429,
    "too-many-jobs": 429,
    "too-many-files": 429,
    "too-many-bytes": 413,
    "storage-full": 503,
    "storage-away": 503,
}


class MatchError(SoundError):
    """A job of ours that cannot go on: no-model, empty-catalogue, file-missing ..."""


class UploadError(SoundError):
    """What is not even taken in: a file or a question, with a code of the visitor's family."""


class LoadError(SoundError):
    """More than this person, or the site, can have at a time: a code of the family of load.

    Attributes:
        retry_after: seconds until it is worth another try; None where waiting does not help.
    """

    def __init__(self, code: str, detail: str, retry_after: int | None) -> None:
        super().__init__(code, detail)
        self.retry_after = retry_after

    def put_on(self, response: HttpResponse) -> HttpResponse:
        """The response that says so, with the header Retry-After where waiting helps."""
        if self.retry_after is not None:
            response["Retry-After"] = str(self.retry_after)
        return response


class LeavingError(SoundError):
    """An account that cannot be deleted: last-superuser."""


@dataclass(frozen=True)
class Text:
    """What a person is told: what happened, why, and what to do about it."""

    family: Family
    title: str | Promise
    sentence: str | Promise
    advice: str | Promise


_ANOTHER_FILE = _("Choose another file, or export this one again from the program it came from.")
_TRY_AGAIN = _("Your file is kept. Try again in a few minutes.")

TEXTS: dict[str, Text] = {
    "missing": Text(
        Family.VISITOR,
        _("No file was chosen"),
        _("The form arrived without a file."),
        _("Choose an audio file and send it again."),
    ),
    "empty-file": Text(
        Family.VISITOR,
        _("The file is empty"),
        _("The file has no content at all: zero bytes."),
        _ANOTHER_FILE,
    ),
    "too-large": Text(
        Family.VISITOR,
        _("The file is too large"),
        _("Files may have up to %(max_size)s."),
        _("Cut out the part you care about, or export it as mp3 or ogg, and send that."),
    ),
    "storage-full": Text(
        Family.LOAD,
        _("There is no room for your file"),
        _("The disk of this site is full, so your file was not kept. It is not at fault."),
        _("Send it again later; an administrator has to make room."),
    ),
    "storage-away": Text(
        Family.LOAD,
        _("Our store for files is away for a moment"),
        _("It does not answer, so your file was not kept. It is not at fault."),
        _("Nothing that you had uploaded is lost. Send this one again in a quarter of a minute."),
    ),
    "not-audio": Text(
        Family.VISITOR,
        _("This is not an audio file we can read"),
        _(
            "Whatever its name says, the content is not mp3, ogg, opus, flac, wav, m4a, aac, aiff "
            "or webm audio."
        ),
        _ANOTHER_FILE,
    ),
    "reference": Text(
        Family.VISITOR,
        _("This file only points to other files"),
        _("It is a playlist or a link: the sound itself lies somewhere else."),
        _("Send the audio file that it points to."),
    ),
    "damaged": Text(
        Family.VISITOR,
        _("The file is damaged"),
        _("It begins like an audio file, but no sound could be read from it."),
        _("Play it on your own machine first; if that fails too, fetch or export it again."),
    ),
    "silent": Text(
        Family.VISITOR,
        _("There is nothing to hear in this file"),
        _("It could be read, but it holds only silence."),
        _("Check that you chose the right file and that it was not exported with its sound off."),
    ),
    "too-short": Text(
        Family.VISITOR,
        _("The sound is too short"),
        _("At least %(min_seconds)s seconds are needed to compare a piece with others."),
        _("Send a longer part of it."),
    ),
    "too-long": Text(
        Family.VISITOR,
        _("The sound is too long"),
        _("Files may last up to %(max_minutes)s minutes."),
        _("Cut out the part you care about and send that."),
    ),
    "decoder-limit": Text(
        Family.VISITOR,
        _("Opening the file took too much"),
        _("It needed more time or memory than one file may have, and was put aside."),
        _ANOTHER_FILE,
    ),
    "decoder-crashed": Text(
        Family.VISITOR,
        _("The file could not be opened"),
        _("Our decoder gave up on it in the middle: the file is most likely damaged."),
        _ANOTHER_FILE,
    ),
    "nothing-asked": Text(
        Family.VISITOR,
        _("There is nothing to compare"),
        _("A question needs one of your uploads, or at least one track to be like."),
        _("Choose one of them and ask again."),
    ),
    "not-ended": Text(
        Family.VISITOR,
        _("This upload is still being answered"),
        _("More can be asked about it once its first answer is there."),
        _("Wait for its answer, then ask again."),
    ),
    "bad-span": Text(
        Family.VISITOR,
        _("There is no such stretch in your piece"),
        _("A stretch begins before it ends, and lies within the piece."),
        _("Set both seconds anew and ask again."),
    ),
    "short-span": Text(
        Family.VISITOR,
        _("The stretch is too short"),
        _("At least %(min_seconds)s seconds are needed to compare it with other pieces."),
        _("Choose a longer stretch and ask again."),
    ),
    "bad-filters": Text(
        Family.VISITOR,
        _("These filters let nothing through"),
        _("Limits are numbers from 0 on, and the lower one is not above the upper one."),
        _("Change the limits and ask again."),
    ),
    "too-many-seeds": Text(
        Family.VISITOR,
        _("Too many tracks at once"),
        _("Up to %(max_seeds)s tracks can be asked about together."),
        _("Take some of them away and ask again."),
    ),
    "both-ways": Text(
        Family.VISITOR,
        _("A track is on both sides"),
        _("A track cannot be one to be like and one to be unlike at once."),
        _("Take it away from one side and ask again."),
    ),
    "nothing-fits": Text(
        Family.VISITOR,
        _("No track fits these filters"),
        _("Every track of the catalogue falls outside at least one of them."),
        _("Take one of the filters away and ask again."),
    ),
    "seeds-gone": Text(
        Family.VISITOR,
        _("The tracks you chose are gone"),
        _("They have been taken out of the catalogue since."),
        _("Choose others and ask again."),
    ),
    "seeds-unheard": Text(
        Family.OURS,
        _("We have not heard all of these tracks yet"),
        _("Our model has not listened to every track you chose, so it cannot compare them."),
        _("Try again in a few minutes."),
    ),
    "queue-full": Text(
        Family.LOAD,
        _("The site is very busy"),
        _("So many jobs wait already that no more are taken just now."),
        _("Nothing was kept of this one. Try again in a minute."),
    ),
    "too-many-jobs": Text(
        Family.LOAD,
        _("Too many of yours are under way"),
        _("Up to %(max_jobs)s uploads and questions of one person wait or run at once."),
        _("Wait until some of them have ended, then try again."),
    ),
    "too-many-files": Text(
        Family.LOAD,
        _("That is enough for today"),
        _("One person may send %(max_files)s files a day."),
        _("The next day begins at midnight, by universal time (UTC). Send the rest then."),
    ),
    "too-many-bytes": Text(
        Family.LOAD,
        _("There is no room left for your files"),
        _("The files of one person may have %(max_kept)s together."),
        _("Delete some of your uploads, then send this one again."),
    ),
    "no-model": Text(
        Family.OURS,
        _("This site cannot listen yet"),
        _("No model is active, so there is nothing to compare your file with."),
        _("Your file is kept. Try again when an administrator has set the site up."),
    ),
    "empty-catalogue": Text(
        Family.OURS,
        _("The catalogue is still empty"),
        _("No track of the catalogue has been indexed yet, so nothing could be found."),
        _TRY_AGAIN,
    ),
    "artefact-missing": Text(
        Family.OURS,
        _("Our model could not be opened"),
        _("Files of the model that listens are missing on our side. Your file is not at fault."),
        _("Your file is kept. Try again when an administrator has mended this."),
    ),
    "artefact-digest": Text(
        Family.OURS,
        _("Our model was not trusted"),
        _("The model's files are not the ones that were installed. Your file is not at fault."),
        _("Your file is kept. Try again when an administrator has mended this."),
    ),
    "artefact-format": Text(
        Family.OURS,
        _("Our model could not be read"),
        _("The model's files are of a kind this site does not know. Your file is not at fault."),
        _("Your file is kept. Try again when an administrator has mended this."),
    ),
    "file-missing": Text(
        Family.OURS,
        _("We no longer have your file"),
        _("It was taken in, but it could not be found in our storage any more."),
        _("Please send it again."),
    ),
    "file-unreachable": Text(
        Family.OURS,
        _("We could not get at your file"),
        _("The store where it lies did not answer, several times."),
        _TRY_AGAIN,
    ),
    "time-limit": Text(
        Family.OURS,
        _("This took too long"),
        _("The job was stopped at its time limit, most likely because the site is very busy."),
        _TRY_AGAIN,
    ),
    "worker-lost": Text(
        Family.OURS,
        _("The job was lost on the way"),
        _("It was started several times, and every time the process behind it went away."),
        _TRY_AGAIN,
    ),
    "internal": Text(
        Family.OURS,
        _("Something went wrong on our side"),
        _("An unexpected error stopped the job. It was noted for the administrators."),
        _TRY_AGAIN,
    ),
}


def text_of(code: str) -> Text:
    """The text of a code, its limits filled in; a code that is not in the table is internal."""
    text = TEXTS.get(code, TEXTS["internal"])
    return Text(text.family, text.title, str(text.sentence) % limits(), text.advice)


def can_be_tried_again(code: str) -> bool:
    """Whether the same file may do better next time."""
    return text_of(code).family is Family.OURS and code != "file-missing"
