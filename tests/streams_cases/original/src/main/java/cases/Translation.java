package cases;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.BranchedKStream;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.KeyValueMapper;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Predicate;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.Suppressed.StrictBufferConfig;
import org.apache.kafka.streams.kstream.ValueMapperWithKey;
import org.apache.kafka.streams.processor.TopicNameExtractor;

/** Builds a case's topology with Kafka Streams' DSL, op by op, and nothing more. */
@SuppressWarnings({"rawtypes", "unchecked"}) // what a handle is of, only the case knows
final class Translation {
    private final StreamsBuilder builder;
    private final Map<String, Object> handles = new HashMap<>();
    private final Set<String> stores = new LinkedHashSet<>();
    private final Map<String, String> processorStores = new HashMap<>();

    Translation(StreamsBuilder builder) {
        this.builder = builder;
    }

    /** The names of the stores that the case has named. */
    Set<String> stores() {
        return stores;
    }

    void apply(JsonNode node) {
        Op op = new Op(node, handles);
        if (op.has("store")) {
            stores.add(op.text("store"));
        }
        Object made = make(op);
        if (made != null) {
            handles.put(op.text("id"), made);
        }
    }

    /** null where the op has no handle: split has one for each branch. */
    private Object make(Op op) {
        return switch (op.name()) {
            case "stream" -> builder.stream(topics(op), consumed());
            case "table" -> op.asksForStore()
                ? builder.table(op.text("topic"), consumed(), op.materialized())
                : builder.table(op.text("topic"), consumed());
            case "global_table" -> op.asksForStore()
                ? builder.globalTable(
                    op.text("topic"), consumed(), op.materialized().withKeySerde(new Formats.Keys()))
                : builder.globalTable(op.text("topic"), consumed());
            case "filter", "filter_not" -> filtered(op);
            case "map_values" -> mappedValues(op);
            case "map" -> stream(op).map(pair(op));
            case "select_key" -> stream(op).selectKey(keyMapper(op));
            case "flat_map_values" -> {
                ValueMapperWithKey<Object, Object, Iterable<Object>> values =
                    Vocabulary.flat(op.text("fn"))::apply;
                yield stream(op).flatMapValues(values);
            }
            case "flat_map" -> flatMapped(op);
            case "peek" -> stream(op).peek((k, v) -> { });
            case "merge" -> op.<KStream>handle("left").merge(op.handle("right"));
            case "split" -> split(op);
            case "repartition" -> op.has("name")
                ? stream(op).repartition(Repartitioned.as(op.text("name")))
                : stream(op).repartition();
            case "to" -> sunk(op);
            case "to_table" ->
                op.asksForStore() ? stream(op).toTable(op.materialized()) : stream(op).toTable();
            case "to_stream" -> op.has("key_fn") ? table(op).toStream(keyMapper(op)) : table(op).toStream();
            case "group_by_key" ->
                stream(op).groupByKey(Grouped.with(op.text("name"), null, new Formats.Values()));
            case "group_by" -> grouped(op);
            case "window" -> Aggregations.windowed(op);
            case "cogroup" -> Aggregations.cogrouped(op);
            case "count", "reduce", "aggregate" -> Aggregations.aggregated(op);
            case "suppress" -> suppressed(op);
            case "join", "left_join", "outer_join" -> Joins.joined(op);
            case "fk_join", "fk_left_join" -> Joins.joinedByForeignKey(op);
            case "process", "process_values" -> processed(op);
            default -> throw new UnsupportedOperationException("op " + op.name());
        };
    }

    private static KStream stream(Op op) {
        return op.handle("of");
    }

    private static KTable table(Op op) {
        return op.handle("of");
    }

    private static Consumed<Object, Object> consumed() {
        return Consumed.with(new Formats.Keys(), new Formats.Values());
    }

    private static List<String> topics(Op op) {
        if (!op.has("topics")) {
            return List.of(op.text("topic"));
        }
        List<String> topics = new ArrayList<>();
        op.node().get("topics").forEach(topic -> topics.add(topic.asText()));
        return topics;
    }

    private static Object filtered(Op op) {
        Predicate<Object, Object> test = Vocabulary.predicate(op.text("pred"))::test;
        boolean not = op.name().equals("filter_not");
        if (op.handle("of") instanceof KTable table) {
            if (!op.asksForStore()) {
                return not ? table.filterNot(test) : table.filter(test);
            }
            return not ? table.filterNot(test, op.materialized()) : table.filter(test, op.materialized());
        }
        return not ? stream(op).filterNot(test) : stream(op).filter(test);
    }

    private static Object mappedValues(Op op) {
        ValueMapperWithKey<Object, Object, Object> value = Vocabulary.value(op.text("fn"))::apply;
        if (op.handle("of") instanceof KTable table) {
            return op.asksForStore() ? table.mapValues(value, op.materialized()) : table.mapValues(value);
        }
        return stream(op).mapValues(value);
    }

    private static KeyValueMapper<Object, Object, Object> keyMapper(Op op) {
        return Vocabulary.key(op.text("key_fn"))::apply;
    }

    private static KeyValueMapper<Object, Object, KeyValue<Object, Object>> pair(Op op) {
        BiFunction<Object, Object, Object> key = Vocabulary.key(op.text("key_fn"));
        BiFunction<Object, Object, Object> value = Vocabulary.value(op.text("fn", "identity"));
        return (k, v) -> KeyValue.pair(key.apply(k, v), value.apply(k, v));
    }

    private static Object flatMapped(Op op) {
        BiFunction<Object, Object, Object> key = Vocabulary.key(op.text("key_fn"));
        BiFunction<Object, Object, List<Object>> values = Vocabulary.flat(op.text("fn"));
        KeyValueMapper<Object, Object, Iterable<KeyValue<Object, Object>>> pairs = (k, v) ->
            values.apply(k, v).stream().map(made -> KeyValue.pair(key.apply(k, made), made)).toList();
        return stream(op).flatMap(pairs);
    }

    private Object split(Op op) {
        BranchedKStream branches = stream(op).split(Named.as(op.text("id") + "."));
        for (JsonNode branch : op.node().get("branches")) {
            Predicate<Object, Object> test = Vocabulary.predicate(branch.get("pred").asText())::test;
            branches = branches.branch(test, Branched.as(branch.get("name").asText()));
        }
        handles.putAll(op.has("default")
            ? branches.defaultBranch(Branched.as(op.text("default")))
            : branches.noDefaultBranch());
        return null;
    }

    private static Object sunk(Op op) {
        Produced produced = Produced.with(new Formats.Keys(), new Formats.Values());
        if (op.has("topic_fn")) {
            BiFunction<Object, Object, String> topic = Vocabulary.topic(op.text("topic_fn"));
            TopicNameExtractor<Object, Object> extractor = (k, v, context) -> topic.apply(k, v);
            stream(op).to(extractor, produced);
        } else {
            stream(op).to(op.text("topic"), produced);
        }
        return null;
    }

    private static Object grouped(Op op) {
        Grouped grouped = Grouped.with(op.text("name"), new Formats.Keys(), new Formats.Values());
        if (op.handle("of") instanceof KTable table) {
            return table.groupBy(pair(op), grouped);
        }
        return stream(op).groupBy(keyMapper(op), grouped);
    }

    private static Object suppressed(Op op) {
        BufferConfig buffer = BufferConfig.unbounded();
        if (op.has("full")) {
            var records = BufferConfig.maxRecords(op.node().get("max_records").asLong());
            buffer = op.text("full").equals("shut_down") ? records.shutDownWhenFull() : records.emitEarlyWhenFull();
        }
        Suppressed until = op.text("until").equals("window_closes")
            ? Suppressed.untilWindowCloses((StrictBufferConfig) buffer)
            : Suppressed.untilTimeLimit(op.ms("limit"), buffer);
        return table(op).suppress(until);
    }

    private Object processed(Op op) {
        String store = op.text("store");
        String[] names = store == null ? new String[0] : new String[] {store};
        String type = op.text("store_type", "kv");
        // Processors may share a store, which is added once.
        if (store != null && !type.equals(processorStores.put(store, type))) {
            builder.addStateStore(Processors.store(store, type));
        }
        return op.name().equals("process")
            ? stream(op).process(Processors.supplier(op.node()), names)
            : stream(op).processValues(Processors.valuesSupplier(op.node()), names);
    }
}
