package cases;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** The suppliers of processors that cases name, and the stores of these. */
final class Processors {
    private Processors() {
    }

    static ProcessorSupplier<Object, Object, Object, Object> supplier(JsonNode op) {
        return () -> new ContextualProcessor<>() {
            private final Script script = Script.of(op.get("processor").asText());

            @Override
            public void init(ProcessorContext<Object, Object> context) {
                super.init(context);
                script.start(context, store(context, op), context::forward);
            }

            @Override
            public void process(Record<Object, Object> record) {
                script.process(record);
            }
        };
    }

    static FixedKeyProcessorSupplier<Object, Object, Object> valuesSupplier(JsonNode op) {
        return () -> new ContextualFixedKeyProcessor<>() {
            private final Script script = Script.of(op.get("processor").asText());
            private FixedKeyRecord<Object, Object> current;

            @Override
            public void init(FixedKeyProcessorContext<Object, Object> context) {
                super.init(context);
                // A record with a fixed key cannot be made, only changed.
                script.start(context, store(context, op), record ->
                    context.forward(current.withValue(record.value()).withTimestamp(record.timestamp())));
            }

            @Override
            public void process(FixedKeyRecord<Object, Object> record) {
                current = record;
                script.process(new Record<>(record.key(), record.value(), record.timestamp(), record.headers()));
            }
        };
    }

    private static StateStore store(ProcessingContext context, JsonNode op) {
        return op.has("store") ? context.getStateStore(op.get("store").asText()) : null;
    }

    /** Of a type such as kv, window:RETENTION:SIZE, window:RETENTION:SIZE:duplicates, session:RETENTION. */
    static StoreBuilder<?> store(String name, String type) {
        Serde<Object> keys = new Formats.Keys();
        Serde<Object> values = new Formats.Values();
        String[] words = type.split(":");
        return switch (words[0]) {
            case "kv" -> Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), keys, values);
            case "window" -> Stores.windowStoreBuilder(
                Stores.persistentWindowStore(name, ms(words[1]), ms(words[2]), words.length > 3), keys, values);
            case "session" -> Stores.sessionStoreBuilder(
                Stores.persistentSessionStore(name, ms(words[1])), keys, values);
            case "versioned" -> Stores.versionedKeyValueStoreBuilder(
                Stores.persistentVersionedKeyValueStore(name, ms(words[1])), keys, values);
            default -> throw new UnsupportedOperationException("store " + type);
        };
    }

    private static Duration ms(String text) {
        return Duration.ofMillis(Long.parseLong(text));
    }
}
