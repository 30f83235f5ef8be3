"""What a line of the log looks like. Needed by the settings, so it needs none itself.

Lines name rows by their ids, never a person or a file, and hold nothing that opens a door.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import structlog

# For every line, of this project's loggers and of everybody else's.
_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_RENDERERS: dict[str, list[Any]] = {
    # Tracebacks without the values of variables, which may be somebody's.
    "TEXT": [
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
    ],
    "JSON": [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
}

# Addresses that open something for whoever knows them: shared answers, confirmations, resets.
_OPENING = re.compile(r"(/s/|/confirm-email/|/password/reset/key/)(?!done)[^/\s\"']+")


class WithoutSecrets(logging.Filter):
    """Django logs the paths of requests that fail."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not isinstance(record.msg, str):  # structlog's own, which name routes and no paths
            return True
        said = record.getMessage()
        kept = _OPENING.sub(r"\1…", said)
        if kept != said:
            record.msg, record.args = kept, ()
        return True


def configuration(level: str, form: str) -> dict[str, Any]:
    """The setting LOGGING.

    Args:
        level: of the root logger.
        form: TEXT for people, JSON for programs: an object a line.
    """
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _SHARED,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *_RENDERERS[form],
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "filters": {"without_secrets": {"()": WithoutSecrets}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["without_secrets"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
        # Says the same as our line of the request, but with its whole address.
        "loggers": {"django.request": {"level": "CRITICAL"}},
    }
