package bench;

import bench.Records.Airport;
import bench.Records.Cents;
import bench.Records.Count;
import bench.Records.Delay;
import bench.Records.DelaySums;
import bench.Records.Delays;
import bench.Records.Event;
import bench.Records.Flight;
import bench.Records.User;
import java.time.Duration;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

/** The topology of each workload, the counterpart of the module with its name in bench/headrace. */
final class Workloads {
    private static final Serde<String> KEY = Serdes.String();
    private static final Serde<Event> EVENT = new Json<>(Event.class);
    private static final Serde<User> USER = new Json<>(User.class);
    private static final Serde<Cents> CENTS = new Json<>(Cents.class);
    private static final Serde<Flight> FLIGHT = new Json<>(Flight.class);
    private static final Serde<Airport> AIRPORT = new Json<>(Airport.class);
    private static final Serde<Delay> DELAY = new Json<>(Delay.class);
    private static final Serde<DelaySums> DELAY_SUMS = new Json<>(DelaySums.class);
    private static final Serde<Delays> DELAYS = new Json<>(Delays.class);
    private static final Serde<Count> COUNT = new Json<>(Count.class);
    private static final Duration GRACE = Duration.ofSeconds(1);
    private static final Duration WINDOW = Duration.ofSeconds(10);

    private final StreamsBuilder builder = new StreamsBuilder();
    private final String[] sources;
    private final String sink;

    Workloads(String[] sources, String sink) {
        this.sources = sources;
        this.sink = sink;
    }

    StreamsBuilder declare(String workload) {
        switch (workload) {
            case "filter_map" -> filterMap();
            case "window_count" -> windowCount();
            case "session_count" -> sessionCount();
            case "closed_windows" -> closedWindows();
            case "running_count", "restored_count" -> runningCount();
            case "stream_table_join" -> streamTableJoin();
            case "flights" -> flights();
            case "stream_stream_join" -> streamStreamJoin();
            case "table_table_join" -> tableTableJoin();
            case "foreign_key_join" -> foreignKeyJoin();
            default -> throw new IllegalArgumentException("no workload is called " + workload);
        }
        return builder;
    }

    private void filterMap() {
        events(0).filter((key, event) -> event.amount >= 50).mapValues(event -> Cents.of(event)).to(sink, Produced.with(KEY, CENTS));
    }

    private void windowCount() {
        toSink(counted().toStream());
    }

    private void closedWindows() {
        toSink(counted().suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded())).toStream());
    }

    private void sessionCount() {
        grouped().windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofSeconds(2), GRACE))
                .count(Materialized.as("counts"))
                .toStream()
                .mapValues(Count::of)
                .to(sink, Produced.with(WindowedSerdes.sessionWindowedSerdeFrom(String.class), COUNT));
    }

    private void runningCount() {
        grouped().count(Materialized.as("counts")).toStream().mapValues(Count::of).to(sink, Produced.with(KEY, COUNT));
    }

    private void streamTableJoin() {
        ValueJoiner<Event, User, Cents> joiner = Cents::of;
        events(0).join(table(1, "users", USER), joiner, Joined.with(KEY, EVENT, USER)).to(sink, Produced.with(KEY, CENTS));
    }

    private void flights() {
        Consumed<String, Flight> read = Consumed.with(KEY, FLIGHT);
        KStream<String, Flight> flights = builder.stream(
                sources[0], read.withTimestampExtractor((record, time) -> ((Flight) record.value()).ts));
        ValueJoiner<Flight, Airport, Delay> joiner = Delay::of;
        Duration day = Duration.ofDays(1);
        Materialized<String, DelaySums, WindowStore<Bytes, byte[]>> kept = Materialized.as("delays");
        flights.join(table(1, "airports", AIRPORT), joiner, Joined.with(KEY, FLIGHT, AIRPORT))
                .groupBy((origin, delay) -> delay.state, Grouped.with("state", KEY, DELAY))
                .windowedBy(TimeWindows.ofSizeAndGrace(day, Duration.ofHours(1)))
                .aggregate(
                        DelaySums::new,
                        (state, delay, sums) -> sums.plus(delay),
                        kept.withKeySerde(KEY).withValueSerde(DELAY_SUMS))
                .toStream()
                .mapValues(Delays::of)
                .to(sink, Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, day.toMillis()), DELAYS));
    }

    private void streamStreamJoin() {
        JoinWindows windows = JoinWindows.ofTimeDifferenceAndGrace(Duration.ofSeconds(5), GRACE);
        ValueJoiner<Event, Event, Cents> joiner = Cents::of;
        events(0).join(events(1), joiner, windows, StreamJoined.with(KEY, EVENT, EVENT).withStoreName("joined"))
                .to(sink, Produced.with(KEY, CENTS));
    }

    private void tableTableJoin() {
        ValueJoiner<Event, Event, Cents> joiner = Cents::of;
        table(0, "left", EVENT).join(table(1, "right", EVENT), joiner)
                .toStream()
                .to(sink, Produced.with(KEY, CENTS));
    }

    private void foreignKeyJoin() {
        ValueJoiner<Event, User, Cents> joiner = Cents::of;
        Materialized<String, Cents, KeyValueStore<Bytes, byte[]>> kept = Materialized.with(KEY, CENTS);
        table(0, "orders", EVENT).join(table(1, "users", USER), order -> order.user, joiner, kept)
                .toStream()
                .to(sink, Produced.with(KEY, CENTS));
    }

    // What workloads have in common.

    private KStream<String, Event> events(int source) {
        Consumed<String, Event> read = Consumed.with(KEY, EVENT);
        return builder.stream(
                sources[source], read.withTimestampExtractor((record, time) -> ((Event) record.value()).ts));
    }

    private <V> KTable<String, V> table(int source, String store, Serde<V> value) {
        Materialized<String, V, KeyValueStore<Bytes, byte[]>> kept = Materialized.as(store);
        return builder.table(sources[source], Consumed.with(KEY, value), kept.withKeySerde(KEY).withValueSerde(value));
    }

    private KGroupedStream<String, Event> grouped() {
        return events(0).groupByKey(Grouped.with(KEY, EVENT));
    }

    private KTable<Windowed<String>, Long> counted() {
        Materialized<String, Long, WindowStore<Bytes, byte[]>> kept = Materialized.as("counts");
        return grouped().windowedBy(TimeWindows.ofSizeAndGrace(WINDOW, GRACE)).count(kept);
    }

    private void toSink(KStream<Windowed<String>, Long> counts) {
        Serde<Windowed<String>> key = WindowedSerdes.timeWindowedSerdeFrom(String.class, WINDOW.toMillis());
        counts.mapValues(Count::of).to(sink, Produced.with(key, COUNT));
    }
}
