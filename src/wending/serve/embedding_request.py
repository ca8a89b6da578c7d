"""The request of POST /v1/embeddings: which fields there are, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from wending.engine.sampling_params import Pooling
from wending.serve.prompts import Prompts
from wending.serve.unsupported import refuse_unsupported_embedding
from wending.serve.validation_errors import as_api_error


class EmbeddingRequest(BaseModel):
    """The fields of a request for embeddings."""

    model_config = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)

    model: str
    """The name that GET /v1/models tells."""
    input: Prompts
    """Text, token ids, or a list of up to 256 of one of them."""
    pooling: Pooling | None = None
    """The hidden state that stands for a text: that of its last token ("last", the default), or the mean over
    all of its tokens ("mean")."""
    encoding_format: Literal["float", "base64"] | None = None
    """Numbers (the default), or base64 of little-endian float32."""
    user: str | None = None
    """Changes nothing."""

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """The request in a JSON object. Raises APIError 400, which names the first field at fault."""
        try:
            return cls.model_validate(refuse_unsupported_embedding(body))
        except ValidationError as error:
            raise as_api_error(error) from error
