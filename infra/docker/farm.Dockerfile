# The farm's own processes, one image for all of them. glibc throughout: the Temporal SDK has no build for musl.
FROM node:20-bookworm AS build
WORKDIR /farm-source
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/framewright
COPY --from=build /farm-source/package.json ./
COPY --from=build /farm-source/node_modules node_modules
COPY --from=build /farm-source/dist dist
COPY --from=build /farm-source/infra/migrations infra/migrations
COPY --from=build /farm-source/cli/bin cli/bin
# Volumes take the owner of the folder that they cover.
RUN mkdir /farm /chain && chown node:node /farm /chain
USER node
CMD ["node", "cli/bin/farm.js", "--help"]
