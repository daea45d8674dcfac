package cases;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.function.BiFunction;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Initializer;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Merger;
import org.apache.kafka.streams.kstream.Reducer;
import org.apache.kafka.streams.kstream.SessionWindowedCogroupedKStream;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindowedCogroupedKStream;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.UnlimitedWindows;
import org.apache.kafka.streams.kstream.Windows;

/** Windows, cogroups and aggregations. Each kind of group has its own methods, with nothing above them. */
@SuppressWarnings({"rawtypes", "unchecked"}) // what a group is of, only the case knows
final class Aggregations {
    private Aggregations() {
    }

    static Object windowed(Op op) {
        Object group = op.handle("of");
        boolean close = op.text("emit", "update").equals("close");
        EmitStrategy emit = close ? EmitStrategy.onWindowClose() : EmitStrategy.onWindowUpdate();
        switch (op.text("type")) {
            case "session" -> {
                SessionWindows windows = SessionWindows.ofInactivityGapAndGrace(op.ms("gap"), op.ms("grace"));
                return group instanceof CogroupedKStream cogroup
                    ? cogroup.windowedBy(windows)
                    : ((KGroupedStream) group).windowedBy(windows).emitStrategy(emit);
            }
            case "sliding" -> {
                SlidingWindows windows =
                    SlidingWindows.ofTimeDifferenceAndGrace(op.ms("difference"), op.ms("grace"));
                return group instanceof CogroupedKStream cogroup
                    ? cogroup.windowedBy(windows)
                    : ((KGroupedStream) group).windowedBy(windows).emitStrategy(emit);
            }
            default -> {
                Windows windows = timeWindows(op);
                return group instanceof CogroupedKStream cogroup
                    ? cogroup.windowedBy(windows)
                    : ((KGroupedStream) group).windowedBy(windows).emitStrategy(emit);
            }
        }
    }

    private static Windows timeWindows(Op op) {
        if (op.text("type").equals("unlimited")) {
            return UnlimitedWindows.of().startOn(Instant.EPOCH.plus(op.ms("start")));
        }
        TimeWindows windows = TimeWindows.ofSizeAndGrace(op.ms("size"), op.ms("grace"));
        return op.has("advance") ? windows.advanceBy(op.ms("advance")) : windows;
    }

    static Object cogrouped(Op op) {
        CogroupedKStream cogroup = null;
        for (JsonNode input : op.node().get("inputs")) {
            KGroupedStream group = (KGroupedStream) op.handles().get(input.get("of").asText());
            Aggregator<Object, Object, Object> adder = aggregator(input.get("adder").asText());
            cogroup = cogroup == null ? group.cogroup(adder) : cogroup.cogroup(group, adder);
        }
        return cogroup;
    }

    static Object aggregated(Op op) {
        return switch (op.name()) {
            case "count" -> counted(op.handle("of"), op.materialized());
            case "reduce" -> reduced(op, op.handle("of"), op.materialized());
            default -> aggregated(op, op.handle("of"), op.materialized());
        };
    }

    private static Object counted(Object group, Materialized kept) {
        if (group instanceof KGroupedStream grouped) {
            return grouped.count(kept);
        }
        if (group instanceof KGroupedTable grouped) {
            return grouped.count(kept);
        }
        if (group instanceof TimeWindowedKStream grouped) {
            return grouped.count(kept);
        }
        return ((SessionWindowedKStream) group).count(kept);
    }

    private static Object reduced(Op op, Object group, Materialized kept) {
        Reducer<Object> adder = Vocabulary.binary(op.text("adder"))::apply;
        if (group instanceof KGroupedTable grouped) {
            Reducer<Object> subtractor = Vocabulary.binary(op.text("subtractor"))::apply;
            return grouped.reduce(adder, subtractor, kept);
        }
        if (group instanceof KGroupedStream grouped) {
            return grouped.reduce(adder, kept);
        }
        if (group instanceof TimeWindowedKStream grouped) {
            return grouped.reduce(adder, kept);
        }
        return ((SessionWindowedKStream) group).reduce(adder, kept);
    }

    private static Object aggregated(Op op, Object group, Materialized kept) {
        Initializer<Object> initial = initializer(op);
        if (group instanceof CogroupedKStream grouped) {
            return grouped.aggregate(initial, kept);
        }
        if (group instanceof TimeWindowedCogroupedKStream grouped) {
            return grouped.aggregate(initial, kept);
        }
        if (group instanceof SessionWindowedCogroupedKStream grouped) {
            return grouped.aggregate(initial, merger(op), kept);
        }
        Aggregator<Object, Object, Object> adder = aggregator(op.text("adder"));
        if (group instanceof KGroupedTable grouped) {
            return grouped.aggregate(initial, adder, aggregator(op.text("subtractor")), kept);
        }
        if (group instanceof KGroupedStream grouped) {
            return grouped.aggregate(initial, adder, kept);
        }
        if (group instanceof TimeWindowedKStream grouped) {
            return grouped.aggregate(initial, adder, kept);
        }
        return ((SessionWindowedKStream) group).aggregate(initial, adder, merger(op), kept);
    }

    private static Initializer<Object> initializer(Op op) {
        JsonNode value = op.node().get("init");
        return () -> {
            try {
                return Formats.JSON.treeToValue(value, Object.class);
            } catch (JsonProcessingException error) {
                throw new UncheckedIOException(error);
            }
        };
    }

    private static Aggregator<Object, Object, Object> aggregator(String name) {
        BiFunction<Object, Object, Object> function = Vocabulary.binary(name);
        return (key, value, aggregate) -> function.apply(aggregate, value);
    }

    private static Merger<Object, Object> merger(Op op) {
        BiFunction<Object, Object, Object> function = Vocabulary.binary(op.text("merger"));
        return (key, one, other) -> function.apply(one, other);
    }
}
