"""Read certificates, options and modes from a handler."""

import io
import logging
import os

from mitmproxy import certs, ctx, http, options, optmanager
from mitmproxy.coretypes import multidict
from mitmproxy.net import server_spec
from mitmproxy.proxy import mode_specs


def running():
    out = io.StringIO()
    optmanager.dump_defaults(ctx.options, out)
    here = ctx.master.addons.get("proxyserver").listen_addrs()[0][0]
    logging.info(f"options {isinstance(ctx.options, options.Options)} {'listen_port' in out.getvalue()} {here}")
    mode = mode_specs.ProxyMode.parse("reverse:https://example.com@9000")
    logging.info(f"mode {mode.type_name} {mode.address} {mode.listen_port()}")


def response(flow: http.HTTPFlow):
    import beside  # what lies beside a script can be imported late, too

    cert = flow.server_conn.certificate_list[0]
    again = certs.Cert.from_pem(cert.to_pem())
    names = multidict.MultiDict([("name", str(name.value)) for name in again.altnames])
    flow.response.headers["x-cert"] = f"{again == cert} {cert.has_expired()} {names.get_all('name')}"
    flow.response.headers["x-beside"] = beside.WORD
    flow.response.headers["x-mode"] = flow.client_conn.proxy_mode.full_spec
    scheme, address = server_spec.parse(os.environ.get("NOT_SET", "http://h:81"), "https")
    flow.response.headers["x-spec"] = f"{scheme} {address[0]}"
