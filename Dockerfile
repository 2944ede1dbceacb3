# syntax=docker/dockerfile:1
# framewright serve in a container. The last target, cpu, is what "docker build ." makes; --target gpu has what CUDA needs.

FROM node:24-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
# Compiles the addon and the TypeScript; what only building and testing need is gone afterwards. What serving and a
# fleet need are optional peers, and stay in the versions they are tested with.
RUN npm ci --foreground-scripts && npm prune --omit=dev --ignore-scripts \
  && npm install --no-save --save-prod --omit=dev --ignore-scripts $(node -p "const { devDependencies: own } = require('./package.json'); ['fastify', '@fastify/multipart', 'bullmq', 'ioredis', '@aws-sdk/client-s3', '@aws-sdk/lib-storage'].map((name) => name + '@' + own[name]).join(' ')")

FROM build AS build-gpu
RUN npm run install:gpu -- cuda

# CUDA 13's runtime and cuBLAS, which llama.cpp's CUDA library asks for; the driver is the host's.
FROM nvidia/cuda:13.0.1-runtime-ubuntu24.04 AS gpu
COPY --from=build-gpu /usr/local/bin/node /usr/local/bin/node
COPY --from=build-gpu /app /app
ENV NODE_ENV=production XDG_CACHE_HOME=/models
RUN mkdir /models && chown 1000:1000 /models
USER 1000:1000
EXPOSE 3210
HEALTHCHECK --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:3210/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/src/cli/main.js"]
CMD ["serve", "--host", "0.0.0.0"]

FROM node:24-bookworm-slim AS cpu
COPY --from=build /app /app
ENV NODE_ENV=production XDG_CACHE_HOME=/models
RUN mkdir /models && chown 1000:1000 /models
USER 1000:1000
EXPOSE 3210
HEALTHCHECK --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:3210/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/src/cli/main.js"]
CMD ["serve", "--host", "0.0.0.0"]
