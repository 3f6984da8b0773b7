# The three programs, one small image each: docker build --target worker|api|venue .
# They are built with what the base images hold, plus crates by Cargo.

FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --release --locked -p worker -p api -p venue \
    && mkdir /programs \
    && cp target/release/worker target/release/api target/release/venue /programs/

FROM debian:12.11-slim AS runtime
# Debian keeps only the latest build of a certificate bundle: it cannot be pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin truetape
COPY --chmod=755 bin/healthy /usr/local/bin/healthy
WORKDIR /
USER 10001:10001

FROM runtime AS worker
COPY --from=build /programs/worker /usr/local/bin/worker
ENV WORKER_HOST=0.0.0.0
EXPOSE 3004
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=6 CMD ["healthy", "3004"]
ENTRYPOINT ["worker"]

FROM runtime AS api
COPY --from=build /programs/api /usr/local/bin/api
ENV HOST=0.0.0.0
EXPOSE 3003
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=6 CMD ["healthy", "3003", "/health/livez"]
ENTRYPOINT ["api"]

FROM runtime AS venue
COPY --from=build /programs/venue /usr/local/bin/venue
EXPOSE 61792
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=6 CMD ["healthy", "61792", "/"]
ENTRYPOINT ["venue"]
CMD ["--host", "0.0.0.0", "--port", "61792"]
