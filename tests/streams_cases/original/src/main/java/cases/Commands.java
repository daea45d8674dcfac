package cases;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;
import org.apache.kafka.streams.state.WindowStore;

/** The commands of `store_script`: words with blanks between them, the first one says what is done with the store. */
@SuppressWarnings("unchecked") // the store is what the case has declared
final class Commands {
    private Commands() {
    }

    static Object run(StateStore store, String[] words) {
        if (store instanceof KeyValueStore<?, ?>) {
            return keyValue((KeyValueStore<Object, Object>) store, words);
        }
        if (store instanceof WindowStore<?, ?>) {
            return window((WindowStore<Object, Object>) store, words);
        }
        if (store instanceof SessionStore<?, ?>) {
            return session((SessionStore<Object, Object>) store, words);
        }
        return versioned((VersionedKeyValueStore<Object, Object>) store, words);
    }

    /** A key or value: null, and the open end of a range, have words of their own. */
    private static Object item(String word) {
        return word.equals("null") || word.equals("-") ? null : word;
    }

    private static long number(String word) {
        return Long.parseLong(word);
    }

    private static Instant time(String word) {
        return Instant.ofEpochMilli(number(word));
    }

    private static Windowed<Object> sessionKey(String[] w) {
        return new Windowed<>(item(w[1]), new SessionWindow(number(w[2]), number(w[3])));
    }

    private static Object keyValue(KeyValueStore<Object, Object> store, String[] w) {
        return switch (w[0]) {
            case "put" -> done(() -> store.put(item(w[1]), item(w[2])));
            case "put_if_absent" -> store.putIfAbsent(item(w[1]), item(w[2]));
            case "get" -> store.get(item(w[1]));
            case "delete" -> store.delete(item(w[1]));
            case "range" -> listed(store.range(item(w[1]), item(w[2])));
            case "rrange" -> listed(store.reverseRange(item(w[1]), item(w[2])));
            case "all" -> listed(store.all());
            case "rall" -> listed(store.reverseAll());
            case "prefix" -> listed(store.prefixScan((String) item(w[1]), new StringSerializer()));
            default -> throw unknown(w);
        };
    }

    private static Object window(WindowStore<Object, Object> store, String[] w) {
        return switch (w[0]) {
            case "put" -> done(() -> store.put(item(w[1]), item(w[2]), number(w[3])));
            case "get" -> store.fetch(item(w[1]), number(w[2]));
            case "fetch" -> listed(store.fetch(item(w[1]), time(w[2]), time(w[3])));
            case "rfetch" -> listed(store.backwardFetch(item(w[1]), time(w[2]), time(w[3])));
            case "fetch_keys" -> listed(store.fetch(item(w[1]), item(w[2]), time(w[3]), time(w[4])));
            case "fetch_all" -> listed(store.fetchAll(time(w[1]), time(w[2])));
            case "all" -> listed(store.all());
            case "rall" -> listed(store.backwardAll());
            default -> throw unknown(w);
        };
    }

    private static Object session(SessionStore<Object, Object> store, String[] w) {
        return switch (w[0]) {
            case "put" -> done(() -> store.put(sessionKey(w), item(w[4])));
            case "remove" -> done(() -> store.remove(sessionKey(w)));
            case "get" -> store.fetchSession(item(w[1]), number(w[2]), number(w[3]));
            case "find" -> listed(store.findSessions(item(w[1]), number(w[2]), number(w[3])));
            case "rfind" -> listed(store.backwardFindSessions(item(w[1]), number(w[2]), number(w[3])));
            case "find_keys" -> listed(store.findSessions(item(w[1]), item(w[2]), number(w[3]), number(w[4])));
            case "fetch" -> listed(store.fetch(item(w[1])));
            case "fetch_keys" -> listed(store.fetch(item(w[1]), item(w[2])));
            default -> throw unknown(w);
        };
    }

    private static Object versioned(VersionedKeyValueStore<Object, Object> store, String[] w) {
        return switch (w[0]) {
            case "put" -> store.put(item(w[1]), item(w[2]), number(w[3]));
            case "delete" -> version(store.delete(item(w[1]), number(w[2])));
            case "get" -> version(store.get(item(w[1])));
            case "as_of" -> version(store.get(item(w[1]), number(w[2])));
            default -> throw unknown(w);
        };
    }

    private static Object done(Runnable command) {
        command.run();
        return "ok";
    }

    private static Object version(VersionedRecord<Object> record) {
        if (record == null) {
            return null;
        }
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("value", record.value());
        shown.put("ts", record.timestamp());
        return shown;
    }

    private static <K> List<Object> listed(KeyValueIterator<K, Object> entries) {
        List<Object> shown = new ArrayList<>();
        try (entries) {
            while (entries.hasNext()) {
                KeyValue<K, Object> entry = entries.next();
                List<Object> pair = new ArrayList<>();
                pair.add(Rows.shown(entry.key));
                pair.add(entry.value);
                shown.add(pair);
            }
        }
        return shown;
    }

    private static UnsupportedOperationException unknown(String[] words) {
        return new UnsupportedOperationException("command " + words[0]);
    }
}
