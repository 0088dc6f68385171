FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json tsconfig.json tsconfig.plugin.json rolldown.config.mjs ./
RUN npm install --ignore-scripts --no-audit --no-fund
COPY src src
COPY scripts/compile.mjs scripts/
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24-slim
LABEL org.opencontainers.image.title="Sluice" \
      org.opencontainers.image.description="A log receiver that takes Fluentd's place" \
      org.opencontainers.image.licenses="Apache-2.0"
# The conventions of Fluentd's image, so that volumes, configuration and commands go on working.
ENV FLUENTD_CONF=fluent.conf FLUENTD_OPT="" NODE_ENV=production
RUN groupadd --gid 999 fluent && useradd --uid 999 --gid fluent --no-create-home fluent \
 && mkdir -p /fluentd/etc /fluentd/log /fluentd/plugins && chown -R fluent:fluent /fluentd
COPY --from=build /build/package.json /opt/sluice/package.json
COPY --from=build /build/node_modules /opt/sluice/node_modules
COPY --from=build /build/dist /opt/sluice/dist
COPY scripts/entrypoint.sh /bin/entrypoint.sh
RUN chmod 755 /bin/entrypoint.sh /opt/sluice/dist/cli.js \
 && ln -s /opt/sluice/dist/cli.js /usr/local/bin/sluice \
 && ln -s /opt/sluice/dist/cli.js /usr/local/bin/fluentd
USER fluent
WORKDIR /fluentd
EXPOSE 24224/tcp 24224/udp 24231/tcp
VOLUME ["/fluentd/log"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
  CMD ["node", "-e", "require('node:net').connect(Number(process.env.SLUICE_HEALTH_PORT ?? 24224), '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(1))"]
ENTRYPOINT ["/bin/entrypoint.sh"]
CMD ["fluentd"]
