# The native program, and nothing else: it is linked with musl. The release workflow puts it at programs/ARCHITECTURE/switchboard.
#   docker run -p 4004:4004 -v ./switchboard.toml:/switchboard.toml IMAGE serve --host 0.0.0.0 --config /switchboard.toml
FROM scratch
ARG TARGETARCH
COPY --chmod=755 programs/${TARGETARCH}/switchboard /switchboard
USER 65532:65532
EXPOSE 4004
ENTRYPOINT ["/switchboard"]
CMD ["serve", "--host", "0.0.0.0"]
