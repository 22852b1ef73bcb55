"""Send the summary of what has happened as a mail."""

import smtplib
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.core.validators import validate_email

from generation.management.command import MadseaCommand, add_dry_run, counted
from review.selectors import summary
from review.services import summary_mails
from wording import say

_SMTP = "django.core.mail.backends.smtp.EmailBackend"


class Command(MadseaCommand):
    help = say("Mail what was made, failed and decided since yesterday evening, and what waits.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--to",
            nargs="+",
            metavar="ADDRESS",
            default=settings.MADSEA_SUMMARY_TO,
            help=say("without it those of MADSEA_SUMMARY_TO"),
        )
        parser.add_argument(
            "--since",
            default="",
            metavar="MOMENT",
            help=say("such as 2026-11-25T18:00; without it yesterday at 18:00"),
        )
        parser.add_argument(
            "--even-if-nothing",
            action="store_true",
            help=say("send it also where nothing happened"),
        )
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        document = summary.summary(summary_mails.start_moment(options["since"]))
        to = options["to"]
        _check(to)
        mail = summary_mails.compose(document, to)
        if options["dry_run"]:
            self.stdout.write(f"{mail.subject}\n\n{mail.body}")
            return
        if not summary.has_news(document) and not options["even_if_nothing"]:
            self.stdout.write(str(say("Nothing has happened: no mail is sent.")))
            return
        if not to:
            raise CommandError(
                str(say("Nobody is to get it: give --to, or set MADSEA_SUMMARY_TO."))
            )
        if not settings.EMAIL_HOST and settings.EMAIL_BACKEND == _SMTP:
            raise CommandError(str(say("No mail can be sent: EMAIL_HOST is not set.")))
        try:
            mail.send()
        except (OSError, smtplib.SMTPException) as error:
            why = say("The mail was not sent: {error}", error=error)
            raise CommandError(str(why)) from error
        sent = say("Sent to {recipients}.", recipients=counted(len(to), "recipient"))
        self.stdout.write(str(sent))


def _check(addresses: list[str]) -> None:
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError:
            told = say("{address} is no mail address.", address=repr(address)[:80])
            raise CommandError(str(told)) from None
