"""Keep what went wrong: exchanges that failed, and answers from 500 on, go to a flow file.

middump -q -s examples/addons/save_errors.py --set save_errors=wrong.flows

In midstream `: view.flows.load wrong.flows` shows it; a script reads it with midstream.io.FlowReader.
"""

import logging
from pathlib import Path
from typing import BinaryIO

from midstream import ctx, exceptions, http, io
from midstream.addonmanager import Loader


class SaveErrors:
    def __init__(self) -> None:
        self.file: BinaryIO | None = None

    def load(self, loader: Loader) -> None:
        loader.add_option("save_errors", str, "", "Append flows that went wrong to this file.", kind="path")

    def configure(self, updated: set[str]) -> None:
        if "save_errors" not in updated:
            return
        self.done()
        if ctx.options.save_errors:
            try:
                # Unbuffered: each flow is written by one call, and is in the file whatever happens next.
                self.file = Path(ctx.options.save_errors).expanduser().open("ab", buffering=0)
            except OSError as error:
                raise exceptions.OptionsError(f"save_errors: {ctx.options.save_errors}: {error.strerror}") from None

    def response(self, flow: http.HTTPFlow) -> None:
        assert flow.response is not None
        if flow.response.status_code >= 500:
            self.save(flow)

    def error(self, flow: http.HTTPFlow) -> None:
        self.save(flow)

    def done(self) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None

    def save(self, flow: http.HTTPFlow) -> None:
        if self.file is None:
            return
        try:
            io.FlowWriter(self.file).add(flow)
        except ValueError as error:  # another addon left something in the flow's metadata that no file can hold
            logging.error("%s cannot be saved: %s", flow.request.pretty_url, error)
        except OSError as error:
            logging.error("%s: %s", ctx.options.save_errors, error.strerror)


addons = [SaveErrors()]
