package cases;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.Stores;

/** One op of a case's topology, and the handles that the ops before it have made. */
@SuppressWarnings({"rawtypes", "unchecked"}) // what a handle is of, only the case knows
record Op(JsonNode node, Map<String, Object> handles) {
    String name() {
        return node.get("op").asText();
    }

    boolean has(String parameter) {
        return node.hasNonNull(parameter);
    }

    /** null where it is not given. */
    String text(String parameter) {
        return has(parameter) ? node.get(parameter).asText() : null;
    }

    String text(String parameter, String otherwise) {
        return node.path(parameter).asText(otherwise);
    }

    /** 0 where it is not given. */
    Duration ms(String parameter) {
        return Duration.ofMillis(node.path(parameter).asLong(0));
    }

    /** What `of`, `left` or `right` refers to. One of another kind than asked for is a ClassCastException. */
    <T> T handle(String parameter) {
        Object handle = handles.get(text(parameter));
        if (handle == null) {
            throw new UnsupportedOperationException("no handle " + text(parameter));
        }
        return (T) handle;
    }

    /** Where the table is kept that the op makes. */
    Materialized materialized() {
        String store = text("store");
        Materialized kept;
        if (has("versioned")) {
            String name = store == null ? "versioned-" + text("id") : store;
            kept = Materialized.as(Stores.persistentVersionedKeyValueStore(name, ms("versioned")));
        } else {
            kept = store == null ? Materialized.with(null, null) : Materialized.as(store);
        }
        return (has("retention") ? kept.withRetention(ms("retention")) : kept).withValueSerde(new Formats.Values());
    }

    /** Whether the op asks for a store; else Kafka Streams decides whether it needs one. */
    boolean asksForStore() {
        return has("store") || has("versioned");
    }
}
