# The worker with its REST API. docs/worker.md says what it needs and how it is run without compose.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="millrace" \
      org.opencontainers.image.description="MySQL and MariaDB to your warehouse in real time, provably equal" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production NO_COLOR=1 MILLRACE_HEALTH_URL=http://127.0.0.1:8083/health
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY src ./src
COPY examples/compose/worker.properties ./worker.properties
# The folder is the image's, so that a new volume mounted there is the user's too.
RUN mkdir /data && chown 1000:1000 /data
USER 1000:1000
VOLUME /data
# Relative paths of connectors, a replica's file for one, are in the volume.
WORKDIR /data
EXPOSE 8083
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(process.env.MILLRACE_HEALTH_URL).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/bin/millrace"]
CMD ["worker", "/app/worker.properties", "--data", "/data/millrace"]
