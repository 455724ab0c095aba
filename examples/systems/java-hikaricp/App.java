// Counts visits in PostgreSQL. Settings of HikariCP's and of the driver's come from system properties:
// -Dhikari.connectionTimeout=2000, -Djdbc="?socketTimeout=3".
import com.sun.net.httpserver.HttpServer;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import java.util.concurrent.Executors;

public class App {
  public static void main(String[] arguments) throws Exception {
    HikariConfig config = new HikariConfig(settings());
    config.setJdbcUrl("jdbc:postgresql://db/postgres" + System.getProperty("jdbc", ""));
    config.setUsername("postgres");
    HikariDataSource pool = new HikariDataSource(config);

    HttpServer server = HttpServer.create(new InetSocketAddress(3000), 0);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/", exchange -> {
      int code = 200;
      String text = "static";
      try {
        switch (exchange.getRequestURI().getPath()) {
          case "/visits":
            execute(pool, "create table if not exists visits (at timestamptz not null default now())");
            execute(pool, "insert into visits default values");
            text = "counted";
            break;
          case "/health":
            execute(pool, "select 1");
            text = "ok";
            break;
        }
      } catch (SQLException error) {
        code = 503;
        text = error.getMessage();
      }
      byte[] body = (text + "\n").getBytes();
      exchange.sendResponseHeaders(code, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    server.start();
  }

  private static void execute(HikariDataSource pool, String query) throws SQLException {
    try (Connection connection = pool.getConnection(); Statement statement = connection.createStatement()) {
      statement.execute(query);
    }
  }

  private static Properties settings() {
    Properties found = new Properties();
    System.getProperties().forEach((key, value) -> {
      if (key.toString().startsWith("hikari.")) found.put(key.toString().substring(7), value);
    });
    return found;
  }
}
