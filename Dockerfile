# syntax=docker/dockerfile:1
# Tributary as a small image without root: one program, one data folder, one port.
FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --release --locked --bin tributary \
    && cp target/release/tributary /usr/local/bin/tributary

FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin tributary \
    && install -d -o tributary -g tributary /data
COPY --from=build /usr/local/bin/tributary /usr/local/bin/tributary
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/tributary/
ENV TRIBUTARY_LISTEN=0.0.0.0:8080 \
    TRIBUTARY_DATA_DIR=/data
# The store's default address is sqlite://data/tributary.db, which from here is in /data. It is no ENV, so that
# TRIBUTARY_DATABASE_URL_FILE alone can name another store.
WORKDIR /
VOLUME /data
EXPOSE 8080
USER 10001
ENTRYPOINT ["tributary"]
CMD ["serve"]
