"""What is wrong with a workflow's graph: no server is to blame for it."""

from wording import Sentence


class GraphError(Exception):
    """The workflow file is not a graph that can be run.

    `code` is stable; `node_id` names the node that is wrong, None where it is the whole file.
    """

    def __init__(self, code: str, detail: str = "", node_id: str | None = None) -> None:
        self.detail = detail or Sentence((type(self).__doc__ or "").partition("\n")[0], {})
        super().__init__(self.detail)
        self.code = code
        self.node_id = node_id
