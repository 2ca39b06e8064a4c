# What the images of PostgreSQL and Valkey have beside their programs.
ARG BASE
FROM ${BASE}
RUN echo 'store:x:999:999::/:/bin/sh' >> /etc/passwd \
 && mkdir -p /data /var/lib/postgresql/data /run/postgresql \
 && chown 999:999 /data /var/lib/postgresql/data
