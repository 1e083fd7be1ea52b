import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * What rules does for the first complete report of a duty, on Kafka Streams: exactly once, the same verdict and state,
 * byte for byte. It knows no other fact, and reads what a duty is without facts from a file.
 *
 * <p>Arguments: bootstrap servers, application id, topic of facts, topic of verdicts, folder, file of the duties.
 */
public final class UsualDuty {
  @JsonIgnoreProperties(ignoreUnknown = true)
  record Event(String id, String source, String type, String receivedtime, Data data) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  record Data(String plan, String obligation, String agency, String period, String corrects, Document document,
      Dispatch dispatch, Content content) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  record Document(String number, String issued_on, String signed_by) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  record Dispatch(String sent_at, String proof, String reference) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  record Content(boolean nil_return, Map<String, String> sections, Map<String, BigDecimal> indicators) {}

  /** A segment or an alert of the duty without facts: from when it holds, and its JSON. */
  record Part(Instant at, String json) {}

  record Duty(String clause, Instant opensAt, Instant dueAt, List<Part> timeline, List<Part> alerts) {}

  /** What the file of the duties holds. */
  static final class Plan {
    final String versions;
    final String registry;
    final Set<String> agencies = new HashSet<>();
    final Map<String, Duty> duties = new HashMap<>();

    Plan(JsonNode root) {
      versions = root.get("versions").textValue();
      registry = root.get("registry").textValue();
      root.get("agencies").forEach(one -> agencies.add(one.textValue()));
      for (JsonNode one : root.get("duties")) {
        duties.put(one.get("name").textValue(), new Duty(one.get("clause").textValue(), instant(one, "opens_at"),
            instant(one, "due_at"), parts(one.get("timeline"), "from"), parts(one.get("steps"), "at")));
      }
    }

    static Instant instant(JsonNode node, String name) {
      return Instant.parse(node.get(name).textValue());
    }

    static List<Part> parts(JsonNode nodes, String name) {
      List<Part> found = new ArrayList<>();
      nodes.forEach(one -> found.add(new Part(instant(one, name), one.toString())));
      return found;
    }
  }

  static final class Assessor implements Processor<String, byte[], String, byte[]> {
    private final ObjectMapper mapper = new ObjectMapper();
    private final ObjectReader reader = mapper.readerFor(Event.class);
    private final Plan plan;
    private final MessageDigest sha;
    private ProcessorContext<String, byte[]> context;
    private KeyValueStore<String, byte[]> states;
    private long stamp = -1;
    private String stampText;

    Assessor(Plan plan) {
      this.plan = plan;
      try {
        sha = MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException cause) {
        throw new IllegalStateException(cause);
      }
    }

    @Override
    public void init(ProcessorContext<String, byte[]> context) {
      this.context = context;
      states = context.getStateStore("states");
    }

    @Override
    public void process(Record<String, byte[]> record) {
      try {
        Event event = reader.readValue(record.value());
        Data data = event.data();
        if (!"vn.dondoc.report.submitted.v1".equals(event.type()) || event.receivedtime() == null) {
          return;
        }
        Duty duty = plan.duties.get(data.obligation() + "|" + data.period());
        if (duty == null || !plan.agencies.contains(data.agency())) {
          return;
        }
        String key = String.join("|", data.plan(), data.agency(), data.obligation(), data.period());
        if (states.get(key) != null || !isComplete(data.content())) {
          return; // a repetition, or a duty that is not usual: this peer knows neither
        }
        Instant received = OffsetDateTime.parse(event.receivedtime()).toInstant();
        if (record.timestamp() != stamp) {
          stamp = record.timestamp();
          stampText = Instant.ofEpochMilli(stamp).toString();
        }
        context.forward(new Record<>(data.agency(), verdict(key, duty, event, received), record.timestamp()));
        states.put(key, state(event, received));
      } catch (IOException cause) {
        throw new UncheckedIOException(cause);
      }
    }

    private static boolean isComplete(Content content) {
      String results = content.sections().get("results");
      return content.nil_return() || (results != null && !results.isBlank());
    }

    private byte[] verdict(String key, Duty duty, Event event, Instant since) throws IOException {
      Data data = event.data();
      String sinceText = since.toString();
      String named = key + "\u001f" + plan.versions + "\u001f" + event.source() + "\u001e" + event.id();
      String id = HexFormat.of().formatHex(sha.digest(named.getBytes(StandardCharsets.UTF_8)));
      ByteArrayOutputStream out = new ByteArrayOutputStream(1536);
      try (JsonGenerator json = mapper.getFactory().createGenerator(out, JsonEncoding.UTF8)) {
        json.writeStartObject();
        json.writeStringField("specversion", "1.0");
        json.writeStringField("id", id);
        json.writeStringField("source", "dondoc/rules");
        json.writeStringField("type", "vn.dondoc.duty.assessed.v1");
        json.writeStringField("subject", data.agency());
        json.writeStringField("time", stampText);
        json.writeStringField("datacontenttype", "application/json");
        json.writeObjectFieldStart("data");
        json.writeStringField("plan", data.plan());
        json.writeNumberField("plan_version", 1);
        json.writeStringField("registry", plan.registry);
        json.writeNumberField("registry_version", 1);
        json.writeStringField("agency", data.agency());
        json.writeStringField("obligation", data.obligation());
        json.writeStringField("period", data.period());
        json.writeStringField("clause", duty.clause());
        json.writeStringField("opens_at", duty.opensAt().toString());
        json.writeStringField("recorded_at", stampText);
        json.writeNumberField("revision", context.recordMetadata().orElseThrow().offset());
        json.writeArrayFieldStart("timeline");
        boolean isFirst = writeBefore(json, duty.timeline(), since) == 0;
        json.writeStartObject();
        json.writeStringField("from", isFirst ? duty.opensAt().toString() : sinceText);
        json.writeStringField("status", since.isBefore(duty.dueAt()) ? "on_time" : "late");
        json.writeStringField("due_at", duty.dueAt().toString());
        json.writeStringField("effective_at", sinceText);
        json.writeNumberField("submissions", 1);
        json.writeArrayFieldStart("evidence");
        json.writeString(event.id());
        json.writeEndArray();
        json.writeObjectFieldStart("standing");
        json.writeStringField("source", event.source());
        json.writeStringField("id", event.id());
        json.writeEndObject();
        json.writeEndObject();
        json.writeEndArray();
        json.writeArrayFieldStart("steps");
        writeBefore(json, duty.alerts(), since);
        json.writeEndArray();
        json.writeEndObject();
        json.writeEndObject();
      }
      return out.toByteArray();
    }

    private static int writeBefore(JsonGenerator json, List<Part> parts, Instant since) throws IOException {
      int count = 0;
      for (Part part : parts) {
        if (part.at().isBefore(since)) {
          json.writeRawValue(part.json());
          count++;
        }
      }
      return count;
    }

    private byte[] state(Event event, Instant received) throws IOException {
      Data data = event.data();
      ByteArrayOutputStream out = new ByteArrayOutputStream(768);
      try (JsonGenerator json = mapper.getFactory().createGenerator(out, JsonEncoding.UTF8)) {
        json.writeStartObject();
        json.writeArrayFieldStart("submissions");
        json.writeStartObject();
        json.writeStringField("id", event.id());
        json.writeStringField("source", event.source());
        json.writeStringField("plan", data.plan());
        json.writeStringField("obligation", data.obligation());
        json.writeStringField("agency", data.agency());
        json.writeStringField("received_at", received.toString());
        json.writeStringField("recorded_at", stampText);
        json.writeStringField("period", data.period());
        json.writeStringField("filed_by", data.agency());
        json.writeStringField("corrects", data.corrects());
        json.writeStringField("sent_at", data.dispatch().sent_at());
        json.writeStringField("proof", data.dispatch().proof());
        json.writeObjectFieldStart("report");
        json.writeStringField("number", data.document().number());
        json.writeStringField("issued_on", data.document().issued_on());
        json.writeStringField("signed_by", data.document().signed_by());
        json.writeBooleanField("is_nil_return", data.content().nil_return());
        json.writePOJOField("sections", data.content().sections());
        json.writePOJOField("indicators", data.content().indicators());
        json.writeArrayFieldStart("attachments");
        json.writeEndArray();
        json.writeArrayFieldStart("parts");
        json.writeEndArray();
        json.writeEndObject();
        json.writeBooleanField("is_proof_permitted", true);
        json.writeBooleanField("has_proof_reference", data.dispatch().reference() != null);
        json.writeEndObject();
        json.writeEndArray();
        json.writeEndObject();
      }
      return out.toByteArray();
    }
  }

  public static void main(String[] given) throws IOException, InterruptedException {
    Plan plan = new Plan(new ObjectMapper().readTree(new File(given[5])));
    Properties config = new Properties();
    config.put("bootstrap.servers", given[0]);
    config.put("application.id", given[1]);
    config.put("state.dir", given[4]);
    config.put("processing.guarantee", "exactly_once_v2");
    config.put("auto.offset.reset", "earliest");
    config.put("num.stream.threads", 1);
    config.put("replication.factor", "1");
    config.put("producer.batch.size", "524288");
    config.put("producer.linger.ms", "5");
    config.put("producer.compression.type", "zstd");
    config.put("consumer.max.poll.records", "5000");
    Topology topology = new Topology();
    topology.addSource("facts", Serdes.String().deserializer(), Serdes.ByteArray().deserializer(), given[2]);
    topology.addProcessor("assessor", () -> new Assessor(plan), "facts");
    topology.addStateStore(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("states"), Serdes.String(),
        Serdes.ByteArray()).withCachingEnabled(), "assessor");
    topology.addSink("verdicts", given[3], Serdes.String().serializer(), Serdes.ByteArray().serializer(), "assessor");
    KafkaStreams streams = new KafkaStreams(topology, config);
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
    Thread.currentThread().join();
  }
}
