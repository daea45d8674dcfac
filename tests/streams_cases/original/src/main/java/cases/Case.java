package cases;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyConfig;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;

/** One case in a test driver of its own, with RocksDB stores in a directory of its own. */
final class Case implements AutoCloseable {
    private static final String APPLICATION = "case";

    private final Path directory;
    private final TopologyTestDriver driver;
    private final Set<String> stores;
    private final Map<String, TestInputTopic<Object, Object>> inputs = new HashMap<>();
    /** Of the inputs so far: a versioned store can only be asked key by key. */
    private final Set<String> keys = new TreeSet<>();

    private Case(Path directory, TopologyTestDriver driver, Set<String> stores) {
        this.directory = directory;
        this.driver = driver;
        this.stores = stores;
    }

    /** Kafka Streams refuses the topology; the cause says why. */
    static final class Rejected extends RuntimeException {
        Rejected(RuntimeException cause) {
            super(cause);
        }
    }

    static Case build(JsonNode declared) throws IOException {
        Path directory = Files.createTempDirectory("case");
        Properties settings = settings(declared.path("config"), directory);
        try {
            StreamsBuilder builder = new StreamsBuilder(new TopologyConfig(new StreamsConfig(settings)));
            Translation translation = new Translation(builder);
            for (JsonNode op : declared.get("topology")) {
                translation.apply(op);
            }
            TopologyTestDriver driver =
                new TopologyTestDriver(builder.build(settings), settings, Instant.EPOCH);
            return new Case(directory, driver, translation.stores());
        } catch (UnsupportedOperationException error) {
            delete(directory.toFile());
            throw error;
        } catch (ClassCastException error) {
            delete(directory.toFile());
            throw new UnsupportedOperationException("an operator of what it is not for: " + error.getMessage(), error);
        } catch (RuntimeException error) {
            delete(directory.toFile());
            throw new Rejected(error);
        }
    }

    private static Properties settings(JsonNode config, Path directory) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, APPLICATION);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "nowhere:1");
        settings.put(StreamsConfig.STATE_DIR_CONFIG, directory.toString());
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Formats.Keys.class.getName());
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Formats.Values.class.getName());
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, config.path("cache_bytes").asText("0"));
        settings.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, config.path("optimization").asText("none"));
        // Closed windows and records without a partner are looked for at every record, not once a second of the wall
        // clock, which stands still here.
        settings.put("__emit.interval.ms.kstreams.outer.join.spurious.results.fix__", 0L);
        settings.put("__emit.interval.ms.kstreams.windowed.aggregation__", 0L);
        return settings;
    }

    /** Up to the first input that fails, whose step ends with the error. */
    Map<String, Object> play(JsonNode steps) throws IOException {
        List<List<Object>> outputs = new ArrayList<>();
        for (JsonNode step : steps) {
            String failure = take(step);
            List<Object> records = drain();
            outputs.add(records);
            if (failure != null) {
                records.add(Map.of("error", failure));
                break;
            }
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("expected", outputs);
        Map<String, Object> rows = new LinkedHashMap<>();
        for (String store : stores) {
            rows.put(store, Rows.of(driver.getAllStateStores().get(store), keys));
        }
        answer.put("stores", rows);
        return answer;
    }

    /** null, or why the step failed. */
    private String take(JsonNode step) throws JsonProcessingException {
        Object key = Formats.JSON.treeToValue(step.path("key"), Object.class);
        Object value = Formats.JSON.treeToValue(step.path("value"), Object.class);
        if (key != null) {
            keys.add((String) key);
        }
        try {
            if (step.has("advance_wall_clock")) {
                driver.advanceWallClockTime(Duration.ofMillis(step.get("advance_wall_clock").asLong()));
            } else {
                input(step.get("topic").asText()).pipeInput(key, value, step.get("ts").asLong());
            }
            return null;
        } catch (RuntimeException error) {
            Throwable cause = error;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            return cause.toString();
        }
    }

    private TestInputTopic<Object, Object> input(String topic) {
        return inputs.computeIfAbsent(topic, name ->
            driver.createInputTopic(name, new Formats.Keys().serializer(), new Formats.Values().serializer()));
    }

    private List<Object> drain() {
        List<Object> records = new ArrayList<>();
        for (String topic : driver.producedTopicNames()) {
            if (topic.startsWith(APPLICATION + "-")) {
                continue; // an internal one
            }
            TestOutputTopic<Object, Object> sink = driver.createOutputTopic(
                topic, new Formats.Keys().deserializer(), new Formats.Values().deserializer());
            while (!sink.isEmpty()) {
                TestRecord<Object, Object> record = sink.readRecord();
                Map<String, Object> shown = new LinkedHashMap<>();
                shown.put("topic", topic);
                shown.put("key", Rows.shown(record.key()));
                shown.put("value", record.value());
                shown.put("ts", record.timestamp());
                records.add(shown);
            }
        }
        return records;
    }

    @Override
    public void close() {
        try {
            driver.close();
        } catch (RuntimeException error) {
            System.err.println(error); // a task that failed fails again when it is closed; its error is told already
        }
        delete(directory.toFile());
    }

    private static void delete(File file) {
        File[] inside = file.listFiles();
        if (inside != null) {
            for (File each : inside) {
                delete(each);
            }
        }
        file.delete();
    }
}
