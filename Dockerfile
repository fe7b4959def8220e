# One replica of Lockstep. Build: docker build -t lockstep . Run three: see compose.yaml and docs/operating.md.
# Two stages: the first has the compiler and builds dist/, the second has what runs and nothing else.
FROM node:20-bookworm-slim AS build
WORKDIR /lockstep
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY bin bin
COPY machines machines
COPY impl impl
COPY conformance conformance
COPY docs/example docs/example
RUN bin/lockstep --version
RUN npm prune --omit=dev --omit=peer

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /lockstep
COPY --from=build /lockstep/package.json ./
COPY --from=build /lockstep/node_modules node_modules
COPY --from=build /lockstep/bin bin
COPY --from=build /lockstep/dist dist
COPY ops/container ops/container
RUN ln -s /lockstep/bin/lockstep /usr/local/bin/lockstep && mkdir /data && chown node:node /data
USER node
VOLUME /data
# HTTP; peers and binary clients.
EXPOSE 7100 7200
STOPSIGNAL SIGTERM
# Ready means: normal status, and requests are served.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s \
  CMD ["node", "/lockstep/ops/container/healthcheck.mjs"]
ENTRYPOINT ["lockstep"]
CMD ["--help"]
