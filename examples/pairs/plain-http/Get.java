import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** Two pages, as the manual of java.net.http shows it; an argument is the time limit of each in seconds. */
class Get {
  public static void main(String[] limit) throws Exception {
    var builder = HttpClient.newBuilder();
    var request = HttpRequest.newBuilder(URI.create("http://server/numbers"));
    if (limit.length > 0) {
      var seconds = Duration.ofSeconds(Long.parseLong(limit[0]));
      builder.connectTimeout(seconds);
      request.timeout(seconds);
    }
    var client = builder.build();
    for (int i = 0; i < 2; ++i) {
      if (i > 0) Thread.sleep(1000);
      var reply = client.send(request.build(), BodyHandlers.ofString());
      if (reply.statusCode() != 200) throw new Exception("status " + reply.statusCode());
      System.out.print(reply.body());
    }
  }
}
