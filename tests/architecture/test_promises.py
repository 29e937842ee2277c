"""Which tests show that a promise holds: each promise and each class of hostile input, in the order of the design.

Whoever removes or renames a test that stands here must find another one that shows the same. What is not built yet is
named with the stage that brings it; then its tests take that place.
"""

import ast
from functools import cache

import pytest

from tests.architecture.source_tree import REPOSITORY

ROWS: dict[str, str] = {
    # -- promises --
    "1 framing: what leaves is read alike by all": """
        wire/test_http1_hostile.py::test_framing_of_requests
        wire/test_http1_outgoing.py::test_what_passes_is_read_back_alike
        wire/test_http1_outgoing.py::test_responses_are_always_framed
        end2end/test_limits.py::test_what_servers_might_read_differently_reaches_none
        end2end/test_addon_mistakes.py::test_what_cannot_be_sent_is_refused_and_named
        proxy/test_send_raw.py::test_what_is_refused
        end2end/test_hostile_servers.py::test_what_clients_might_read_differently_reaches_none
        end2end/test_http2_conformance_client_side.py::test_what_reaches_the_server_is_plain_http1
    """,
    "2 others are served": """
        end2end/test_limits.py::test_slow_heads_are_closed_and_others_served
        end2end/test_limits.py::test_others_are_served_beside_300_idle_connections
        end2end/test_user_regexes.py::test_a_filter_that_backtracks
        end2end/test_addon_mistakes.py::test_a_stream_function_without_end_serves_others_and_ends_with_its_client
        proxy/test_udp_listeners.py::test_a_flood_from_many_addresses_is_bounded_and_others_are_served
        end2end/test_mode_dns.py::test_a_flood_of_junk_harms_nobody
        end2end/test_http2_floods.py::test_many_attackers_at_once
        end2end/test_bounds.py::test_a_client_with_many_tunnels_leaves_room_for_others
        end2end/test_bounds.py::test_bodies_of_many_flows_are_bounded_together
        end2end/test_bounds.py::test_bombs_go_on_as_they_came_and_are_not_unpacked_to_be_printed
        end2end/test_patience.py::test_handshakes_that_stop
        end2end/test_hostile_servers.py::test_slow_heads_of_servers
        docs/test_limits.py::test_a_limit_is_what_is_said
        end2end/test_bounds.py::test_no_value_of_a_field_takes_long_to_read
    """,
    "3 the terminal is ours": """
        text/test_escape.py::test_no_assigned_character_of_all_unicode_passes_that_is_control_format_or_surrogate
        addons/test_dumper.py::test_nothing_from_the_network_reaches_the_terminal_unescaped
        addons/test_termlog.py::test_control_characters_are_visible
        console/panes/test_detail.py::test_hostile_flows
        console/panes/test_flow_list.py::test_hostile_text_neither_breaks_the_canvas_nor_leaks
        console/test_prompts.py::test_hostile_text_in_the_prompt_is_shown_as_placeholders
        end2end/test_addon_mistakes.py::test_what_a_thread_raises_is_logged_with_visible_controls
        end2end/test_hostile_files.py::test_a_flow_file_gives_what_is_whole_and_nothing_raw
        end2end/test_hostile_bytes.py::test_none_of_it_reaches_a_terminal_from_any_pane_or_box
        end2end/test_hostile_bytes.py::test_what_middump_prints
        console/test_hostile_widgets.py::test_everything_with_a_hostile_text
    """,
    "4 evidence is not lost": """
        store/formats/test_native.py::test_a_cut_file_gives_every_whole_flow
        addons/test_view_load.py::test_a_damaged_file_gives_what_is_whole
        addons/test_output.py::test_a_full_disk_is_told_once_and_ends_nothing
        end2end/test_saving_flows.py::test_a_kill_takes_no_flow_that_was_delivered_a_second_before
        end2end/test_saving_flows.py::test_a_full_disk_stops_the_saving_and_not_the_traffic
        end2end/test_saving_flows.py::test_a_file_that_cannot_be_ends_the_start_and_a_failed_start_touches_no_file
        end2end/test_reading_flows.py::test_every_whole_flow_of_a_cut_file_is_read
        end2end/test_reading_flows.py::test_a_damaged_file_is_one_line_and_status_1
        store/test_stream_file.py::test_half_a_flow_at_the_end_is_kept_elsewhere_before_more_is_appended
        store/test_stream_file.py::test_what_does_not_fit_is_cut_back_to_the_last_whole_flow
        store/test_files.py::test_what_fails_half_way_leaves_the_file_as_it_was
        addons/test_readfile.py::test_one_file_is_read_and_saved_to
        end2end/test_session.py::test_a_kill_loses_nothing_that_ended_a_second_before
        store/test_session.py::test_after_a_crash_all_is_there_and_what_was_in_flight_is_over
        store/test_session.py::test_a_full_disk_is_told_once_and_flows_stay
        store/test_session.py::test_of_a_damaged_file_every_whole_flow_is_read
        store/test_session.py::test_a_file_that_does_not_open_gives_what_is_left
        store/test_session_codec.py::test_damaged_bytes_give_a_sentence
    """,
    "5 secrets stay secret": """
        end2end/test_ca_files.py::test_the_first_start_makes_it_and_keeps_the_key_to_its_owner
        end2end/test_ca_files.py::test_loose_permissions_are_reported
        certs/test_authority.py::test_private_files_are_never_open_to_others
        end2end/test_key_log.py::test_the_secrets_of_both_sides_are_written
        end2end/test_key_log.py::test_a_file_that_others_can_read_is_reported
        end2end/test_key_log.py::test_a_file_that_goes_meanwhile_is_made_anew_as_private
        hub/test_config.py::test_secrets_in_a_file_that_others_can_read
        hub/test_config.py::test_saving_makes_a_private_file
        store/test_session.py::test_files_are_private
        store/test_session_folder.py::test_the_folder_is_private
        hub/test_adopting.py::test_everything_is_copied_and_told
        addons/test_command_history.py::test_lines_are_kept_private_and_read_again
        console/test_key_bindings.py::test_what_is_saved_is_private_and_a_link_stays_one
        console/test_edit_parts.py::test_the_file_and_its_folder_are_private
        console/panes/test_options.py::test_secrets_are_not_shown
        proxy/test_named_parents.py::test_what_a_client_says_of_itself_to_us_goes_no_further
        proxy/test_named_parents.py::test_a_plain_request_carries_our_credentials_and_no_flow_shows_them
        proxy/test_reverse.py::test_credentials_go_to_no_server_that_a_script_chose
        addons/test_upstream_auth.py::test_what_is_none_is_not_repeated_in_the_error
        store/test_files.py::test_new_files_are_private
        store/test_stream_file.py::test_a_new_file_is_private_and_its_folder_is_made
        store/test_stream_file.py::test_a_file_that_others_can_read_is_named
        hub/test_clipboard.py::test_without_a_clipboard_a_private_file_gets_the_text_and_is_named
        end2end/test_export_curl.py::test_200_awkward_requests_arrive_byte_by_byte
        end2end/test_export_keys.py::test_no_secret_is_on_the_screen_nor_in_a_copy_while_redact_is_on
        end2end/test_export_keys.py::test_dumps_and_har_files_have_names_and_the_server_gets_the_secret
        end2end/test_proxyauth.py::test_no_file_and_no_line_has_the_password
    """,
    "6 no script ends the running proxy": """
        end2end/test_scripts.py::test_no_script_ends_the_program
        end2end/test_scripts.py::test_a_script_may_end_the_program
        end2end/test_addon_mistakes.py::test_whatever_a_handler_raises_is_logged_and_the_flow_goes_on
        end2end/test_addon_mistakes.py::test_wrong_return_values_do_nothing
        end2end/test_addon_mistakes.py::test_a_task_that_an_addon_starts_does_not_end_the_program_either
        end2end/test_addon_mistakes.py::test_a_loop_that_a_script_stops_goes_on
        end2end/test_addon_mistakes.py::test_what_a_command_raises_ends_nothing
        end2end/test_addon_mistakes.py::test_what_a_content_view_raises_ends_nothing
        end2end/test_addon_mistakes.py::test_what_raises_when_options_change_ends_nothing
        contentviews/test_prettify.py::test_a_view_cannot_end_the_program
        console/widgets/test_body_viewer.py::test_a_view_of_a_script_holds_nothing_and_has_its_time
        end2end/test_bad_starts.py::test_a_mistake_on_the_command_line
        end2end/test_scripts.py::test_a_script_with_a_syntax_error_ends_the_start
        end2end/test_scripts.py::test_a_script_that_fails_while_it_is_loaded_ends_the_start
        end2end/test_scripts.py::test_a_saved_script_takes_effect_and_a_broken_one_does_not
        end2end/test_reload_under_fire.py::test_no_request_is_lost_and_nothing_is_left_over
    """,
    "6 who holds the loop is named": """
        end2end/test_scripts.py::test_a_script_that_holds_the_loop_is_named
        end2end/test_addon_mistakes.py::test_a_handler_that_blocks_is_named
        end2end/test_addon_mistakes.py::test_a_stream_function_that_blocks_is_named
        end2end/test_addon_mistakes.py::test_a_handler_that_holds_the_loop_for_ever_is_named_when_the_program_is_told_to_end
        addons/test_dumper_body.py::test_a_view_that_takes_its_time_holds_nothing_and_is_named
    """,
    "7 TLS means something": """
        end2end/test_upstream_failures.py::test_no_request_goes_to_a_server_with_a_bad_certificate
        end2end/test_upstream_failures.py::test_ssl_insecure_lets_them_all_pass
        end2end/test_tls.py::test_the_name_that_the_client_asks_for_is_asked_for_and_verified
        end2end/test_tls.py::test_openssl_verifies_it_strictly
        end2end/test_ca_files.py::test_two_folders_have_two
        end2end/test_tls_options.py::test_old_clients_are_turned_away_unless_allowed
        end2end/test_tls_options.py::test_a_server_gets_the_client_certificate
        proxy/test_tls_inside_tls.py::test_a_second_connection_to_the_server_is_made_like_the_first
        addons/test_tls_certificates.py::test_a_client_that_names_a_host_gets_what_is_for_that_one
        certs/test_leaves.py::test_a_leaf
        end2end/test_mode_reverse.py::test_a_bad_certificate
        end2end/test_mode_upstream.py::test_a_parent_whose_certificate_is_not_trusted
    """,
    # -- classes of hostile input --
    "CL.TE, TE.CL, TE.TE, odd lengths": """
        wire/test_http1_hostile.py::test_framing_of_requests
        wire/test_http1_hostile.py::test_framing_of_responses
        proxy/test_exchange.py::test_malformed_requests_are_refused_with_a_row_and_a_closed_connection
        proxy/test_exchange.py::test_malformed_responses_are_a_502_and_the_connection_is_not_used_again
        end2end/test_limits.py::test_what_servers_might_read_differently_reaches_none
        end2end/test_hostile_servers.py::test_what_clients_might_read_differently_reaches_none
    """,
    "chunks": """
        wire/test_http1_chunked.py::test_hostile_bodies
        wire/test_http1_chunked.py::test_many_tiny_chunks_cost_little
        end2end/test_limits.py::test_tiny_chunks
        proxy/test_exchange.py::test_bad_chunks_in_a_request_are_refused
        end2end/test_http_features.py::test_trailers_in_both_directions
        end2end/test_hostile_servers.py::test_what_clients_might_read_differently_reaches_none
    """,
    "bare CR or LF, NUL, controls, obs-fold": """
        wire/test_http1_hostile.py::test_field_lines
        wire/test_http1_hostile.py::test_request_lines
        wire/test_http1_hostile.py::test_status_lines
        end2end/test_limits.py::test_what_servers_might_read_differently_reaches_none
        end2end/test_hostile_servers.py::test_what_clients_might_read_differently_reaches_none
    """,
    "two Host fields; Host unlike the target": """
        wire/test_http1_hostile.py::test_two_hosts
        proxy/test_exchange.py::test_host_follows_the_absolute_target
        end2end/test_limits.py::test_what_servers_might_read_differently_reaches_none
    """,
    "hop-by-hop fields, Upgrade": """
        proxy/test_exchange.py::test_connection_fields_end_here
        end2end/test_http_features.py::test_an_upgrade_becomes_a_tunnel
        end2end/test_hostile_servers.py::test_fields_about_the_connection_end_here
        proxy/test_exchange.py::test_h2c_is_not_offered
    """,
    "HTTP/2 fields": """
        wire/test_http2_fields.py::test_pseudo_fields_of_requests
        wire/test_http2_fields.py::test_pseudo_fields_of_responses
        wire/test_http2_fields.py::test_fields
        wire/test_http2_fields.py::test_lengths
        wire/test_http2_fields.py::test_what_passes_as_a_request_passes_h2_too
        wire/test_http2_round_trips.py::test_what_goes_out_as_a_request_reads_back
        wire/test_http2_round_trips.py::test_what_goes_on_to_http1_reads_back
        end2end/test_http2_conformance_client_side.py::test_what_a_client_does
        end2end/test_http2_conformance_client_side.py::test_what_reaches_the_server_is_plain_http1
        end2end/test_http2_conformance_server_side.py::test_what_a_server_does
        proxy/test_http2_streams.py::test_a_body_unlike_its_length_is_reset_and_not_forwarded
        proxy/test_http2_patience.py::test_a_body_where_none_may_be_is_a_502
    """,
    "response splitting, a second response, 1xx without end": """
        proxy/test_reuse.py::test_what_comes_with_a_response_and_beyond_it_reaches_nobody
        proxy/test_reuse.py::test_interim_responses_without_end
        end2end/test_upstream_failures.py::test_a_failure_before_the_response_is_whole
        proxy/test_tls_ends.py::test_a_body_that_lasts_until_the_end_of_tls
        end2end/test_hostile_servers.py::test_what_clients_might_read_differently_reaches_none
        end2end/test_hostile_servers.py::test_what_is_behind_a_response_is_nobodys
        end2end/test_upstream_failures.py::test_a_failure_in_a_streamed_body_cuts_the_connection
    """,
    "HTTP/2 floods": """
        end2end/test_http2_floods.py::test_floods_of_clients
        end2end/test_http2_floods.py::test_floods_of_servers
        end2end/test_http2_floods.py::test_many_attackers_at_once
        end2end/test_http2_floods.py::test_who_reads_nothing
        end2end/test_http2_floods.py::test_windows_of_one_byte
        end2end/test_http2_floods.py::test_windows_never_opened
        end2end/test_http2_floods.py::test_a_server_that_opens_no_window
        end2end/test_http2_floods.py::test_headers_that_never_end
        wire/test_http2_budget.py::test_a_flood_ends_before_all_of_it_was_looked_at
        wire/test_http2_budget.py::test_unknown_settings_are_not_kept
        wire/test_hpack.py::test_long_values_and_many_fields_take_little_time
        proxy/test_http2_streams.py::test_nothing_is_kept_of_finished_streams
        proxy/test_http2_streams.py::test_many_malformed_requests_are_ten_lines_in_the_log
    """,
    "slow heads and bodies, idle connections, file descriptors": """
        end2end/test_limits.py::test_slow_heads_are_closed_and_others_served
        end2end/test_limits.py::test_slow_heads_in_a_tunnel_and_slow_hellos
        end2end/test_mode_socks5.py::test_slow_clients_are_closed
        end2end/test_proxy_protocol.py::test_a_header_that_drips_is_closed
        proxy/test_http2_patience.py::test_a_head_has_so_long_however_slowly_its_frames_come
        proxy/test_http2_patience.py::test_an_upload_that_stops_is_answered_with_408
        end2end/test_http2.py::test_one_stalled_reader_among_a_hundred_large_streams
        proxy/test_idle.py::test_nothing_of_the_last_exchange
        end2end/test_limits.py::test_idle_connections_close_after_their_time
        end2end/test_limits.py::test_clients_beyond_what_fits_are_turned_away_and_later_ones_served
        end2end/test_hostile_servers.py::test_slow_heads_of_servers
        end2end/test_patience.py::test_idle_connections_end_in_every_mode
        end2end/test_patience.py::test_parents_that_answer_a_connect_slowly
        end2end/test_patience.py::test_handshakes_that_stop
        end2end/test_limits.py::test_a_client_that_stops_in_its_upload
        end2end/test_upstream_failures.py::test_a_server_that_stalls
        proxy/test_timeouts.py::test_a_client_that_stops_reading
        proxy/test_timeouts.py::test_a_server_that_stops_reading
        end2end/test_limits.py::test_others_are_served_beside_300_idle_connections
        end2end/test_bounds.py::test_idle_connections_to_servers_are_not_kept_when_files_are_scarce
        end2end/test_bounds.py::test_a_client_with_many_tunnels_leaves_room_for_others
        end2end/test_bounds.py::test_connections_to_servers_beyond_what_fits_fail_and_later_ones_do_not
    """,
    "decompression bombs, huge and deep contents": """
        console/widgets/test_body_viewer.py::test_a_bomb_is_not_unpacked_at_once
        console/widgets/test_body_viewer.py::test_the_beginning_of_a_bomb_is_shown
        console/widgets/test_body_viewer.py::test_what_takes_too_long_stays_raw
        addons/test_dumper_body.py::test_of_a_bomb_the_beginning_is_printed
        addons/test_dumper_body.py::test_the_loop_goes_on_while_much_is_printed
        flows/test_encodings.py::test_the_beginning_of_a_bomb_can_be_looked_at
        end2end/test_contentviews.py::test_a_large_body_is_made_pretty_beside_the_console
        work/test_worker.py::test_memory_is_bounded
        work/test_worker.py::test_what_takes_too_long_is_killed_and_the_next_request_is_served
        wire/test_websocket.py::test_a_bomb_is_not_unpacked
        wire/test_websocket.py::test_a_bomb_in_fragments
        proxy/test_websocket.py::test_a_bomb_is_not_unpacked
        contentviews/test_views.py::test_no_step_is_long_and_the_text_is_bounded
        contentviews/test_hostile_data.py::test_no_step_is_long_and_the_text_is_bounded
        contentviews/test_hostile_data.py::test_a_compressed_message_does_not_become_gigabytes
        contentviews/test_json_text.py::test_deep_nesting_is_bounded
        contentviews/test_markup_text.py::test_deep_nesting_is_bounded
        console/panes/test_detail.py::test_fifty_megabytes_open_at_once
        end2end/test_bounds.py::test_bombs_go_on_as_they_came_and_are_not_unpacked_to_be_printed
        end2end/test_rules_bodies.py::test_a_bomb_passes_as_it_came
    """,
    "WebSocket": """
        wire/test_websocket.py::test_hostile_frames
        wire/test_websocket.py::test_fragments_without_end
        wire/test_websocket.py::test_wsproto_refuses_the_same
        proxy/test_websocket.py::test_fifty_thousand_pings_are_passed_in_order
        proxy/test_websocket.py::test_pings_that_nobody_reads_hold_their_sender
        proxy/test_websocket.py::test_what_queues_behind_a_held_message_is_bounded
        proxy/test_websocket.py::test_messages_that_come_in_one_read_are_not_all_unpacked_behind_a_held_one
        proxy/test_websocket.py::test_others_have_their_turn_during_a_long_message
        wire/test_websocket.py::test_streams_of_blocks_that_end_and_end_are_few_or_refused
        proxy/test_websocket.py::test_fragments_without_end
        proxy/test_websocket.py::test_a_client_that_breaks_the_protocol
        proxy/test_websocket.py::test_a_server_that_breaks_the_protocol
        end2end/test_websocket.py::test_fifty_thousand_pings_are_answered_in_order
        end2end/test_websocket.py::test_a_client_that_breaks_the_protocol
        end2end/test_websocket_conformance.py::test_an_echo_server_behind_a_reverse_mode
        end2end/test_websocket_conformance.py::test_a_client_whose_proxy_we_are_and_a_server_that_breaks_every_rule
        end2end/test_bounds.py::test_messages_of_many_websockets_are_bounded_together
    """,
    "escape sequences anywhere": """
        addons/test_dumper.py::test_nothing_from_the_network_reaches_the_terminal_unescaped
        certs/test_failures.py::test_hostile_names_cannot_reach_the_terminal
        end2end/test_hostile_files.py::test_a_flow_file_gives_what_is_whole_and_nothing_raw
        end2end/test_hostile_bytes.py::test_none_of_it_reaches_a_terminal_from_any_pane_or_box
        end2end/test_hostile_bytes.py::test_what_middump_prints
        console/test_hostile_widgets.py::test_everything_with_a_hostile_text
    """,
    "paths and symlinks": """
        hub/test_config.py::test_saving_follows_links_and_leaves_broken_files_alone
        hub/test_adopting.py::test_nothing_is_replaced
        addons/test_local_file.py::test_no_name_climbs
        addons/test_local_file.py::test_what_is_not_there_or_not_inside
        end2end/test_rules_map_local.py::test_nothing_outside_of_the_folder
        store/test_files.py::test_why_not
        work/test_whole_file.py::test_a_link_stays_a_link
    """,
    "onboarding": """
        end2end/test_onboarding.py::test_the_key_is_in_no_answer
        end2end/test_onboarding.py::test_downloads
        end2end/test_onboarding.py::test_openssl_reads_the_p12
        end2end/test_onboarding.py::test_other_hosts_are_not_answered
        end2end/test_onboarding.py::test_what_clients_say_is_escaped
    """,
    "requests to our own listener": """
        end2end/test_limits.py::test_a_request_to_the_proxy_itself_is_refused
        end2end/test_limits.py::test_a_tunnel_to_the_proxy_itself_is_refused
        end2end/test_mode_socks5.py::test_replies_of_a_real_network
        end2end/test_mode_transparent.py::test_in_a_network_of_its_own
        end2end/test_mode_reverse.py::test_ourselves_as_the_server
        end2end/test_mode_upstream.py::test_ourselves_as_the_parent
        end2end/test_mode_upstream.py::test_ourselves_through_a_parent_on_this_machine
        end2end/test_tls.py::test_tls_to_the_proxy_itself
        end2end/test_mode_dns.py::test_we_are_not_our_own_name_server
        end2end/test_mode_dns.py::test_reverse_mode_to_ourselves_is_refused
    """,
    "proxy auth": """
        end2end/test_proxyauth.py::test_curl
        end2end/test_proxyauth.py::test_clients_of_a_server
        end2end/test_proxyauth.py::test_raw_bytes_do_not_pass
        end2end/test_proxyauth.py::test_socks
        end2end/test_proxyauth.py::test_no_file_and_no_line_has_the_password
        end2end/test_proxyauth.py::test_a_directory
        addons/test_proxyauth.py::test_credentials_are_in_no_state_and_no_repr
        addons/test_proxyauth.py::test_what_is_none_is_not_repeated_in_the_error
        addons/test_command_history.py::test_a_line_that_sets_a_secret_is_in_no_file
    """,
    "config files": """
        end2end/test_hostile_files.py::test_a_config_file_ends_the_start_in_one_line
        end2end/test_bad_starts.py::test_a_broken_config_file
        hub/test_config.py::test_mistakes_are_told_with_their_place
        hub/test_config.py::test_alias_bombs_are_not_unfolded
        hub/test_config.py::test_any_text_is_read_or_refused_in_one_line
        hub/test_config.py::test_wrong_types_are_refused_with_their_place
        hub/test_invocation.py::test_thousands_of_unknown_names_are_counted
    """,
    "key files": """
        end2end/test_hostile_files.py::test_a_key_file_is_one_line_in_the_log_and_stops_nothing
        console/test_key_file.py::test_hostile_files_are_one_line_with_a_place
        console/test_key_file.py::test_a_file_of_100_mb_is_not_read
        console/test_key_file.py::test_a_bomb_of_aliases_and_thousands_of_errors_stay_small
        console/test_key_file.py::test_no_yaml_makes_it_raise
        console/test_key_bindings.py::test_a_file_that_cannot_be_kept_is_left_alone
    """,
    "rule files": """
        end2end/test_rules_files.py::test_a_rule_that_is_none
        filters/test_rules.py::test_any_text_is_read_or_refused_in_one_line
        filters/test_rules.py::test_files_that_cannot_be_read
        filters/test_rules.py::test_a_file_that_is_too_large
    """,
    "flow and HAR files": """
        end2end/test_hostile_files.py::test_a_flow_file_gives_what_is_whole_and_nothing_raw
        end2end/test_hostile_bytes.py::test_none_of_it_reaches_a_terminal_from_any_pane_or_box
        end2end/test_hostile_bytes.py::test_what_middump_prints
        console/test_hostile_widgets.py::test_everything_with_a_hostile_text
        store/formats/test_native.py::test_states_with_any_value_anywhere_raise_nothing_else
        store/formats/test_native.py::test_any_bytes_raise_nothing_else
        store/formats/test_items.py::test_a_long_length_takes_no_memory
        store/formats/test_tnetstring.py::test_nesting_is_bounded
        store/formats/test_tnetstring.py::test_the_number_of_values_is_bounded
        store/formats/test_tnetstring.py::test_the_number_of_lists_and_dicts_is_bounded_before_they_fill_the_memory
        console/panes/test_timeline.py::test_any_times_give_a_bar_of_that_width
        addons/test_view_load.py::test_the_loop_goes_on_meanwhile
        store/formats/test_har_items.py::test_a_file_that_is_cut_anywhere_gives_every_whole_entry
        store/formats/test_har_items.py::test_any_bytes_raise_nothing_else
        store/formats/test_har_items.py::test_a_broken_entry_costs_itself
        store/formats/test_har_items.py::test_an_entry_that_is_too_large_takes_no_memory
        store/formats/test_har_flow.py::test_any_value_anywhere_raises_nothing_else
        store/formats/test_har_flow.py::test_one_line_says_what_could_not_be_read
    """,
    "exports": """
        end2end/test_export_curl.py::test_200_awkward_requests_arrive_byte_by_byte
        end2end/test_export_curl.py::test_a_body_longer_than_any_argument_comes_through_a_pipe
        end2end/test_export_curl.py::test_requests_of_http_2_have_the_same_fields_and_body
        end2end/test_export_programs.py::test_httpie_sends_the_same_request
        end2end/test_export_programs.py::test_wget_sends_the_same_request
        end2end/test_export_programs.py::test_python_sends_the_same_bytes_with_host_first
        store/exports/test_texts.py::test_powershell_gets_strings_and_nothing_to_run
        store/exports/test_texts.py::test_a_body_that_is_more_than_text_to_a_rest_client_is_refused
    """,
    "a user's regex": """
        end2end/test_user_regexes.py::test_a_filter_that_backtracks
        end2end/test_user_regexes.py::test_a_filter_that_backtracks_on_the_head
        end2end/test_hostile_files.py::test_a_filter_that_backtracks_on_thousands_of_flows_stops_nothing
        filters/test_slow_patterns.py::test_a_flow_that_takes_too_long_does_not_match
        filters/test_slow_patterns.py::test_looking_for_flows_never_holds_the_loop
        addons/test_view.py::test_filters_that_backtrack_on_every_flow_hold_nothing
        filters/test_slow_patterns.py::test_all_the_filters_that_look_at_one_flow_hold_it_once
        text/test_patterns.py::test_a_search_that_backtracks_is_given_up
        text/test_patterns.py::test_a_replacement_that_backtracks
        text/test_patterns.py::test_replacements_do_not_grow_without_bound
        end2end/test_rules_hostile.py::test_a_body_rule_that_backtracks
        end2end/test_rules_hostile.py::test_a_url_rule_that_backtracks
        end2end/test_rules_hostile.py::test_bodies_that_would_grow_without_bound
    """,
    "mistakes of addons": """
        end2end/test_addon_mistakes.py::test_what_cannot_be_sent_is_refused_and_named
        end2end/test_addon_mistakes.py::test_what_can_only_be_meant_one_way_is_mended_and_named
        end2end/test_addon_mistakes.py::test_a_body_while_transfer_encoding_stands
        end2end/test_addon_mistakes.py::test_an_upload_whose_length_an_addon_gets_wrong
        end2end/test_addon_mistakes.py::test_of_several_scripts_the_one_at_fault_is_known_the_next_time
        proxy/test_streaming.py::test_a_broken_function_cuts_the_response_visibly_and_is_named
        proxy/test_tunnel.py::test_a_message_that_cannot_be_sent
        proxy/test_udp.py::test_a_mistake_of_an_addon_ends_it_and_names_the_addon
        proxy/dns/test_serve.py::test_a_mistake_of_an_addon_is_servfail_and_names_the_addon
    """,
}


@cache
def _defined_in(file: str) -> frozenset[str]:
    path = REPOSITORY / "tests" / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("row", ROWS)
def test_what_shows_it_is_there(row: str) -> None:
    entries = [line.strip() for line in ROWS[row].strip().splitlines()]
    assert entries
    for entry in entries:
        if not entry.startswith("stage 5: "):
            file, _, name = entry.partition("::")
            assert name in _defined_in(file), f"{entry} is not there"
