"""Write flows to a file, and read them back at the end."""

import os

from mitmproxy import ctx, exceptions, http, io


class Writer:
    def load(self, loader):
        loader.add_option("flowsfile", str, "", "Where to write flows.")

    def running(self) -> None:
        self.path = ctx.options.flowsfile
        self.f = open(self.path, "wb")  # noqa: SIM115  (closed in done)
        self.w = io.FlowWriter(self.f)

    def response(self, flow: http.HTTPFlow) -> None:
        flow.comment = "written"
        self.w.add(flow)

    def done(self):
        self.f.close()
        with open(self.path, "rb") as logfile:
            freader = io.FlowReader(logfile)
            try:
                for f in freader.stream():
                    if isinstance(f, http.HTTPFlow):
                        print(f"read back {f.request.path} {f.response.status_code} {f.comment}")
            except exceptions.FlowReadException as e:
                print(f"Flow file corrupted: {e}")
        print(f"size is {os.path.getsize(self.path) > 0}")


addons = [Writer()]
