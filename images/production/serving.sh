# Sourced by the tests of images that serve something.

# serve IMAGE: starts a container of it. It goes when the test ends; if that failed, what it printed is shown.
serve() {
  container=$(docker run --detach --network none "$1")
  trap stop_serving EXIT
}

stop_serving() {
  local status=$?
  [[ $status == 0 ]] || docker logs "$container" || true
  docker rm --force --volumes "$container" > /dev/null
  exit "$status"
}

# inside [ARG...]: runs the commands on standard input in the container, as its user. They have `get PATH`, which prints what
# its HTTP server on port 8080 answers, `until_works COMMAND...`, and `runs_as WHO`, which fails for any other `id -u:id -un`.
inside() {
  docker exec --interactive "$container" bash -euo pipefail -s "$@" < <(printf '%s\n' "$inside"; cat)
}

inside='
get() {
  exec 3<> /dev/tcp/127.0.0.1/8080
  printf "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n" "$1" >&3
  cat <&3
}
until_works() {
  for _ in {1..100}; do
    ("$@") &> /dev/null && return
    sleep 0.1
  done
  echo "does not work: $*" >&2
  return 1
}
runs_as() {
  [[ $(id -u):$(id -un) == "$1" ]] || { echo "runs as $(id -u):$(id -un)" >&2; return 1; }
}
'
