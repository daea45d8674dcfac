package cases;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;
import org.apache.kafka.streams.state.WindowStore;

/** What is in a store, as cases show it. */
@SuppressWarnings("unchecked") // stores are looked up by name
final class Rows {
    private Rows() {
    }

    /** The rows that can still be seen; of a versioned store the latest version of each of the keys. */
    static List<Object> of(StateStore store, Set<String> keys) {
        if (store instanceof VersionedKeyValueStore<?, ?> versioned) {
            List<Object> rows = new ArrayList<>();
            for (String key : keys) {
                Object latest = ((VersionedKeyValueStore<Object, Object>) versioned).get(key);
                if (latest != null) {
                    rows.add(row(key, latest));
                }
            }
            return rows;
        }
        if (store instanceof SessionStore<?, ?> sessions) {
            return listed(((SessionStore<Object, Object>) sessions).findSessions(null, null, 0, Long.MAX_VALUE));
        }
        if (store instanceof WindowStore<?, ?> windows) {
            return listed(((WindowStore<Object, Object>) windows).all());
        }
        return listed(((KeyValueStore<Object, Object>) store).all());
    }

    private static <K> List<Object> listed(KeyValueIterator<K, Object> entries) {
        List<Object> rows = new ArrayList<>();
        try (entries) {
            while (entries.hasNext()) {
                KeyValue<K, Object> entry = entries.next();
                rows.add(row(entry.key, entry.value));
            }
        }
        return rows;
    }

    private static Object row(Object key, Object value) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("key", shown(key));
        if (value instanceof ValueAndTimestamp<?> stamped) {
            row.put("value", stamped.value());
            row.put("ts", stamped.timestamp());
        } else if (value instanceof VersionedRecord<?> version) {
            row.put("value", version.value());
            row.put("ts", version.timestamp());
        } else {
            row.put("value", value);
        }
        return row;
    }

    static Object shown(Object key) {
        if (!(key instanceof Windowed<?> windowed)) {
            return key;
        }
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("key", windowed.key());
        shown.put("start", windowed.window().start());
        shown.put("end", windowed.window().end());
        return shown;
    }
}
