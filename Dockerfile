# The plain server as a container: `make image` builds it; docs/API.md shows how to run it.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# The AWS SDK's whole credential chain: containers have roles, not keys in the environment.
RUN cargo build --locked --profile cli --bin ordinate

# The C library in the version of the build, certificates, and no shell.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/cli/ordinate /ordinate
ENV HOST=0.0.0.0 PORT=8080
EXPOSE 8080
USER nonroot
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/ordinate", "health"]
ENTRYPOINT ["/ordinate"]
# SageMaker starts a container with this argument, too.
CMD ["serve"]
