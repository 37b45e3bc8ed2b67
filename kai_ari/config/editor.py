"""The JSON Schema of `kai.yaml`, from which editors complete keys and underline mistakes."""

import json

from kai_ari.config.schema import Config


def json_schema() -> str:
    """Draft 2020-12. What must agree between sections is beyond it: `load` tells that."""
    schema = Config.model_json_schema()
    return json.dumps(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "kai.yaml"},
        indent=2,
    )
