"""Why an application was not started or stopped.  `reason` is OTP's word."""

from __future__ import annotations

from pyx.errors import PyxError


class ApplicationError(PyxError):
    """The root of these.  Attributes: `application` (its name), `reason`."""

    reason: object = "error"

    def __init__(self, application: str, message: str, *, hint: str | None = None) -> None:
        self.application = application
        super().__init__(message, hint=hint)


class ApplicationInvalid(ApplicationError, ValueError):
    """What should name an application names none: no such module, no such function, another form."""

    reason = "bad_application"


class ApplicationAlreadyStarted(ApplicationError):
    """An application of that name runs."""

    def __init__(self, application: str) -> None:
        self.reason = ("already_started", application)
        super().__init__(application, f"the application {application} is started already")


class ApplicationNotStarted(ApplicationError, LookupError):
    """No application of that name runs."""

    def __init__(self, application: str) -> None:
        self.reason = ("not_started", application)
        super().__init__(application, f"the application {application} is not started")
