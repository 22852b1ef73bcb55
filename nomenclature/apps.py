"""The naming rule as a Django app, for its audit command."""

from django.apps import AppConfig


class NomenclatureConfig(AppConfig):
    name = "nomenclature"
