"""The endpoint's own description in OpenAPI 3.1: what every route takes, answers and refuses."""
