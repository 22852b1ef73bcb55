"""`GET /api/summary`: what has happened since yesterday evening, and what waits."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from generation.errors import InvalidRequest, Problem
from review.api import export_descriptions
from review.selectors import summary
from review.services import summary_mails
from wording import say


@export_descriptions.SUMMARY
class SummaryView(APIView):
    http_method_names = ["get", "options"]

    def get(self, request: Request) -> Response:
        problems = [
            Problem(f"{name:.64}", "unknown_parameter", say("Unknown parameter. Known: since."))
            for name in request.query_params
            if name != "since"
        ]
        if problems:
            raise InvalidRequest(problems)
        since = summary_mails.start_moment(request.query_params.get("since", ""))
        return Response(summary.summary(since))
