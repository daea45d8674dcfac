package cases;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.Punctuator;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/** What a processor does that a case names, whether it may change keys or not. */
abstract class Script {
    private ProcessingContext context;
    private StateStore store;
    private Consumer<Record<Object, Object>> sink;

    /** The script of NAME or NAME:ARGUMENT:ARGUMENT. */
    static Script of(String text) {
        String[] words = text.split(":");
        return switch (words[0]) {
            case "dedup" -> new Dedup();
            case "running_count" -> new RunningCount();
            case "stamp" -> new Stamp(Long.parseLong(words[1]));
            case "stream_time" -> new StreamTime();
            case "fan" -> new Fan();
            case "rekey" -> new Rekey(text.substring("rekey:".length()));
            case "tick", "tick_cancel" -> new Tick(words);
            case "emit_every" -> new EmitEvery(words);
            case "ttl" -> new Ttl(words);
            case "store_script" -> new StoreScript();
            default -> throw new UnsupportedOperationException("processor " + text);
        };
    }

    /** Before the first record; the store is null where the case gives the processor none. */
    final void start(ProcessingContext context, StateStore store, Consumer<Record<Object, Object>> sink) {
        this.context = context;
        this.store = store;
        this.sink = sink;
        schedule();
    }

    void schedule() {
    }

    abstract void process(Record<Object, Object> record);

    final void forward(Record<Object, Object> record) {
        sink.accept(record);
    }

    @SuppressWarnings("unchecked") // the case has declared it so
    final KeyValueStore<Object, Object> rows() {
        return (KeyValueStore<Object, Object>) store;
    }

    final Cancellable every(String interval, String kind, Punctuator run) {
        PunctuationType clock =
            kind.equals("stream") ? PunctuationType.STREAM_TIME : PunctuationType.WALL_CLOCK_TIME;
        return context.schedule(Duration.ofMillis(Long.parseLong(interval)), clock, run);
    }

    private static final class Dedup extends Script {
        @Override
        void process(Record<Object, Object> record) {
            if (!Objects.equals(rows().get(record.key()), record.value())) {
                rows().put(record.key(), record.value());
                forward(record);
            }
        }
    }

    private static final class RunningCount extends Script {
        @Override
        void process(Record<Object, Object> record) {
            long count = Vocabulary.num(rows().get(record.key())) + 1;
            rows().put(record.key(), count);
            forward(record.withValue(count));
        }
    }

    private static final class Stamp extends Script {
        private final long later;

        Stamp(long later) {
            this.later = later;
        }

        @Override
        void process(Record<Object, Object> record) {
            forward(record.withTimestamp(record.timestamp() + later));
        }
    }

    private static final class StreamTime extends Script {
        @Override
        void process(Record<Object, Object> record) {
            forward(record.withValue(super.context.currentStreamTimeMs()));
        }
    }

    private static final class Fan extends Script {
        @Override
        void process(Record<Object, Object> record) {
            forward(record);
            forward(record.withKey(Vocabulary.text(record.key()) + "'"));
        }
    }

    private static final class Rekey extends Script {
        private final BiFunction<Object, Object, Object> key;

        Rekey(String function) {
            key = Vocabulary.key(function);
        }

        @Override
        void process(Record<Object, Object> record) {
            forward(record.withKey(key.apply(record.key(), record.value())));
        }
    }

    /** tick:INTERVAL:CLOCK, or tick_cancel:INTERVAL:CLOCK:RUNS. */
    private static final class Tick extends Script {
        private final String[] words;
        private long left;
        private Cancellable schedule;

        Tick(String[] words) {
            this.words = words;
            left = words.length > 3 ? Long.parseLong(words[3]) : Long.MAX_VALUE;
        }

        @Override
        void schedule() {
            schedule = every(words[1], words[2], now -> {
                forward(new Record<>("tick", now, now));
                if (--left == 0) {
                    schedule.cancel();
                }
            });
        }

        @Override
        void process(Record<Object, Object> record) {
            forward(record);
        }
    }

    private static final class EmitEvery extends Script {
        private final String[] words;

        EmitEvery(String[] words) {
            this.words = words;
        }

        @Override
        void schedule() {
            every(words[1], words[2], now -> {
                try (KeyValueIterator<Object, Object> entries = rows().all()) {
                    entries.forEachRemaining(entry -> forward(new Record<>(entry.key, entry.value, now)));
                }
            });
        }

        @Override
        void process(Record<Object, Object> record) {
            long before = Vocabulary.num(rows().get(record.key()));
            rows().put(record.key(), before + Vocabulary.num(record.value()));
        }
    }

    private static final class Ttl extends Script {
        private final String[] words;

        Ttl(String[] words) {
            this.words = words;
        }

        @Override
        void schedule() {
            long age = Long.parseLong(words[1]);
            every(words[1], words[2], now -> {
                List<Object> expired = new ArrayList<>();
                try (KeyValueIterator<Object, Object> entries = rows().all()) {
                    while (entries.hasNext()) {
                        KeyValue<Object, Object> entry = entries.next();
                        if (Vocabulary.num(entry.value) <= now - age) {
                            expired.add(entry.key);
                        }
                    }
                }
                for (Object key : expired) {
                    rows().delete(key);
                    forward(new Record<>(key, null, now));
                }
            });
        }

        @Override
        void process(Record<Object, Object> record) {
            rows().put(record.key(), Math.max(Vocabulary.num(rows().get(record.key())), record.timestamp()));
            forward(record);
        }
    }

    private static final class StoreScript extends Script {
        @Override
        void process(Record<Object, Object> record) {
            String[] words = ((String) record.value()).split(" ");
            forward(record.withValue(Commands.run(super.store, words)));
        }
    }
}
