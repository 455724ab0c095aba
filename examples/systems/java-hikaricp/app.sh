#!/bin/sh
# Debian's jars: libhikaricp-java, libpostgresql-jdbc-java, libslf4j-java. Arguments are java's.
jars=/usr/share/java
CLASSPATH=build:$jars/HikariCP.jar:$jars/postgresql.jar:$jars/slf4j-api.jar:$jars/slf4j-simple.jar
export CLASSPATH
exec java -Xmx64m "$@" App
