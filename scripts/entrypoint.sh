#!/bin/sh
# The image's entry point.
#
# Only options, or nothing: the receiver. A configuration is given, or it is $FLUENTD_CONF if that is there;
# without one the embedded default runs.
set -eu
case "${1:-}" in "" | -*) set -- fluentd "$@" ;; esac
if [ "$1" = fluentd ] || [ "$1" = sluice ]; then
  given=
  for word; do case $word in -c* | --config | --config=* | cat) given=yes ;; esac; done
  if [ -z "$given" ] && [ -e "/fluentd/etc/$FLUENTD_CONF" ]; then
    set -- "$@" --config "/fluentd/etc/$FLUENTD_CONF"
  fi
  # shellcheck disable=SC2086 # several words are meant
  set -- "$@" $FLUENTD_OPT
fi
exec "$@"
