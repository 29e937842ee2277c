"""Names of `mitmproxy.net` and `mitmproxy.utils`: the helpers that scripts borrow."""

from __future__ import annotations

from midstream.compat.rows import Names, absent, everything, same, shim

_ASSEMBLE = "assemble_body assemble_request assemble_request_head assemble_response assemble_response_head"
_READ = "connection_close expected_http_body_size read_request_head read_response_head"
_CONTEXTS = (
    "call data.wrap with an ssl.SSLContext of the standard library in tls_start_client or tls_start_server; "
    "the options tls_version_client_min and the like set the rest"
)

NET: dict[str, Names] = {
    "net.check": shim("hosts", "is_valid_host is_valid_port"),
    "net.encoding": shim(
        "encoding",
        "decode encode identity decode_brotli decode_deflate decode_gzip decode_zstd encode_brotli encode_deflate "
        "encode_gzip encode_zstd",
    ),
    "net.free_port": shim("hosts", "get_free_port"),
    "net.local_ip": shim("hosts", "get_local_ip get_local_ip6"),
    "net.server_spec": same("flows.server_spec", "ServerSpec parse"),
    "net.tls": {
        **shim("tls_records", "Verify Version starts_like_dtls_record starts_like_tls_record"),
        **absent(
            _CONTEXTS,
            "DEFAULT_MAX_VERSION DEFAULT_MIN_VERSION DEFAULT_OPTIONS EC_CURVES INSECURE_TLS_MIN_VERSIONS Method "
            "OP_LEGACY_SERVER_CONNECT accept_all create_client_proxy_context create_proxy_server_context get_curve "
            "is_supported_version",
        ),
        **absent(
            "the environment variable SSLKEYLOGFILE names the file of the secrets",
            "MasterSecretLogger make_master_secret_logger log_master_secret",
        ),
    },
    "net.http": {},
    "net.http.cookies": shim(
        "cookies",
        "CookieAttrs format_cookie_header format_set_cookie_header get_expiration_ts group_cookies is_expired "
        "parse_cookie_header parse_cookie_headers parse_set_cookie_header parse_set_cookie_headers "
        "refresh_set_cookie_header",
    ),
    "net.http.headers": {
        **same("flows.charset", "assemble_content_type parse_content_type"),
        **shim("http_messages", "infer_content_encoding"),
    },
    "net.http.http1": shim("http1", f"{_ASSEMBLE} {_READ}"),
    "net.http.http1.assemble": shim("http1", _ASSEMBLE),
    "net.http.http1.read": shim("http1", f"{_READ} get_header_tokens raise_if_http_version_unknown"),
    "net.http.multipart": shim(
        "http_messages", "decode_multipart encode_multipart decode=decode_multipart encode=encode_multipart"
    ),
    "net.http.status_codes": everything("compat.shims.status_codes"),
    "net.http.url": {
        **same("text.url", "default_port hostport parse unparse"),
        **shim("url", "decode encode parse_authority quote unquote"),
    },
    "net.http.user_agents": absent("write the User-Agent that you want", "UASTRINGS get_by_shortcut"),
    "net.http.validate": shim("http_messages", "parse_content_length parse_transfer_encoding validate_headers"),
    "utils": {},
    "utils.asyncio_utils": shim(
        "asyncio_tasks",
        "create_task install_exception_handler set_current_task_debug_info set_eager_task_factory "
        "set_task_debug_info task_repr",
    ),
    "utils.data": shim("files", "Data pkg_data"),
    "utils.debug": absent(
        "faulthandler.dump_traceback() and asyncio.all_tasks() of the standard library show what runs",
        "dump_info dump_stacks dump_system_info register_info_dumpers",
    ),
    "utils.emoji": shim("markers", "emoji"),
    "utils.htpasswd": same("addons.proxyauth_users", "HtpasswdFile"),
    "utils.human": shim(
        "human",
        "SIZE_UNITS format_address format_timestamp format_timestamp_with_milli parse_size pretty_duration pretty_size",
    ),
    "utils.magisk": {
        **same("certs.magisk", "subject_hash_old"),
        **shim("magisk", "get_ca_from_files write_magisk_module"),
    },
    "utils.signals": shim("signals", "AsyncSignal SyncSignal"),
    "utils.sliding_window": shim("typecheck", "window"),
    "utils.spec": shim("typecheck", "parse_spec"),
    "utils.strutils": shim(
        "strutils",
        "MULTILINE_CONTENT MULTILINE_CONTENT_LINE_CONTINUATION NO_ESCAPE SINGLELINE_CONTENT always_bytes always_str "
        "bytes_to_escaped_str clean_hanging_newline cut_after_n_lines escape_control_characters escape_special_areas "
        "escaped_str_to_bytes hexdump is_mostly_bin is_xml split_special_areas unescape_special_areas",
    ),
    "utils.typecheck": shim("typecheck", "check_option_type typespec_to_str"),
    "utils.vt_codes": same("text.colours", "ensure_supported=is_terminal"),
}
