#include "audit/services.hpp"

#include <algorithm>
#include <array>

namespace halfopen::audit {
namespace {

constexpr std::string_view postgres_client =
    "libpq, psycopg: keepalives_idle, keepalives_interval, keepalives_count, tcp_user_timeout in the "
    "connection "
    "string; pgjdbc: tcpKeepAlive=true, socketTimeout";
constexpr std::string_view http_client =
    "nginx to an upstream: proxy_socket_keepalive on; node: http.Agent with keepAlive and timeout; Go: "
    "net.Dialer.KeepAliveConfig, http.Client.Timeout";
constexpr std::string_view http_server =
    "nginx: listen ... so_keepalive=30s:10s:3; node: server.on('connection', s => "
    "s.setKeepAlive(true, 30000))";

/// By port.
constexpr std::array<service, 20> services{{
    {22, "SSH", "ServerAliveInterval, ServerAliveCountMax", "ClientAliveInterval, ClientAliveCountMax"},
    {80, "HTTP", http_client, http_server},
    {389, "LDAP", "libldap: LDAP_OPT_X_KEEPALIVE_IDLE, _PROBES, _INTERVAL; LDAP_OPT_TCP_USER_TIMEOUT", ""},
    {443, "HTTPS", http_client, http_server},
    {636, "LDAPS", "libldap: LDAP_OPT_X_KEEPALIVE_IDLE, _PROBES, _INTERVAL; LDAP_OPT_TCP_USER_TIMEOUT", ""},
    {1433, "SQL Server", "mssql-jdbc: socketTimeout", ""},
    {1521, "Oracle", "(ENABLE=BROKEN) in the connect descriptor; oracle.net.READ_TIMEOUT",
     "SQLNET.EXPIRE_TIME in sqlnet.ora"},
    {1883, "MQTT", "the protocol's own keep alive, a number of CONNECT", ""},
    {3306, "MySQL", "Connector/J: tcpKeepAlive=true, socketTimeout; read_timeout of PyMySQL",
     "wait_timeout, net_read_timeout"},
    {5432, "PostgreSQL", postgres_client,
     "tcp_keepalives_idle, tcp_keepalives_interval, tcp_keepalives_count, tcp_user_timeout in "
     "postgresql.conf"},
    {5672, "AMQP", "heartbeat, in the connection's parameters", "heartbeat in rabbitmq.conf"},
    {6379, "Redis",
     "redis-py: socket_keepalive, socket_keepalive_options, socket_timeout; Lettuce: "
     "SocketOptions.KeepAliveOptions and TcpUserTimeoutOptions; ioredis: keepAlive",
     "tcp-keepalive in redis.conf"},
    {6432, "PgBouncer", postgres_client,
     "tcp_keepalive, tcp_keepidle, tcp_keepintvl, tcp_keepcnt, tcp_user_timeout in pgbouncer.ini"},
    {8080, "HTTP", http_client, http_server},
    {8443, "HTTPS", http_client, http_server},
    {9042, "Cassandra", "Java driver: advanced.socket.keep-alive, advanced.heartbeat.interval", ""},
    {9092, "Kafka", "librdkafka: socket.keepalive.enable, socket.timeout.ms; Java: request.timeout.ms",
     "connections.max.idle.ms"},
    {9200, "Elasticsearch", "http_client's options; the Java client: SocketConfig.setSoKeepAlive(true)",
     "http.tcp.keep_alive, http.tcp.keep_idle"},
    {11211, "memcached", "libmemcached: MEMCACHED_BEHAVIOR_TCP_KEEPALIVE, _TCP_KEEPIDLE",
     "-o idle_timeout=SECONDS"},
    {27017, "MongoDB", "socketTimeoutMS, heartbeatFrequencyMS in the connection string", ""},
}};
static_assert(std::ranges::is_sorted(services, {}, &service::port));

}  // namespace

const service* service_at(std::uint16_t port) noexcept {
  const auto* found = std::ranges::lower_bound(services, port, {}, &service::port);
  return found != services.end() && found->port == port ? found : nullptr;
}

}  // namespace halfopen::audit
