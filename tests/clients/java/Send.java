// Sends the events on stdin with the CloudEvents SDK of Java: `Send.java URL KEY MODE`; prints the status of each request.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.cloudevents.CloudEvent;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.http.HttpMessageFactory;
import io.cloudevents.jackson.JsonFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

public class Send {
  public static void main(String[] arguments) throws IOException {
    URI url = URI.create(arguments[0]);
    String key = arguments[1];
    String mode = arguments[2];
    List<CloudEvent> events = new ArrayList<>();
    for (JsonNode one : new ObjectMapper().readTree(System.in)) {
      events.add(CloudEventBuilder.v1()
          .withId(one.get("id").asText())
          .withSource(URI.create(one.get("source").asText()))
          .withType(one.get("type").asText())
          .withSubject(one.get("subject").asText())
          .withData("application/json", one.get("data").toString().getBytes(StandardCharsets.UTF_8))
          .build());
    }
    if (mode.equals("batch")) {
      // The SDK has no batches: one is an array of events in its JSON format.
      StringBuilder body = new StringBuilder();
      for (CloudEvent one : events) {
        body.append(body.length() == 0 ? "[" : ",");
        body.append(new String(new JsonFormat().serialize(one), StandardCharsets.UTF_8));
      }
      post(url, key, Map.of("content-type", "application/cloudevents-batch+json"), body.append("]").toString().getBytes(StandardCharsets.UTF_8));
      return;
    }
    for (CloudEvent one : events) {
      Map<String, String> headers = new LinkedHashMap<>();
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      var writer = HttpMessageFactory.createWriter(headers::put, content -> {
        if (content != null) {
          body.writeBytes(content);
        }
      });
      if (mode.equals("binary")) {
        writer.writeBinary(one);
      } else {
        writer.writeStructured(one, JsonFormat.CONTENT_TYPE);
      }
      post(url, key, headers, body.toByteArray());
    }
  }

  // A socket and not the client of the JDK, which writes letters beyond ASCII in a header as question marks. Netty and
  // Jetty, with which the SDK is mostly used, send the SDK's values in UTF-8, as here.
  private static void post(URI url, String key, Map<String, String> headers, byte[] body) throws IOException {
    StringBuilder head = new StringBuilder("POST " + url.getPath() + " HTTP/1.1\r\nhost: " + url.getAuthority() + "\r\n");
    headers.forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
    head.append("authorization: Bearer " + key + "\r\nconnection: close\r\ncontent-length: " + body.length + "\r\n\r\n");
    try (Socket socket = new Socket(url.getHost(), url.getPort())) {
      OutputStream out = socket.getOutputStream();
      out.write(head.toString().getBytes(StandardCharsets.UTF_8));
      out.write(body);
      out.flush();
      InputStream in = socket.getInputStream();
      String answer = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      System.out.println(answer.split(" ", 3)[1] + " " + answer.substring(answer.indexOf("\r\n\r\n") + 4).replace("\r\n", " "));
    }
  }
}
