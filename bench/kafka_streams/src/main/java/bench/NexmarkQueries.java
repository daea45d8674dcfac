package bench;

import bench.NexmarkRecords.Auction;
import bench.NexmarkRecords.AuctionBids;
import bench.NexmarkRecords.AuctionPrice;
import bench.NexmarkRecords.Bid;
import bench.NexmarkRecords.HotItems;
import bench.NexmarkRecords.LocalItem;
import bench.NexmarkRecords.NewSeller;
import bench.NexmarkRecords.Offer;
import bench.NexmarkRecords.Person;
import bench.NexmarkRecords.Price;
import bench.NexmarkRecords.Sale;
import bench.NexmarkRecords.Totals;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/**
 * Nexmark's queries 0 to 8, each the counterpart of the module with its name in bench/nexmark.
 *
 * <p>Final results of windows come from suppress: those of EmitStrategy are looked for once a second and only when a
 * record comes, so that the last ones of a topic that is at its end would never be told.
 */
final class NexmarkQueries {
    private static final Serde<Long> KEY = Serdes.Long();
    private static final Serde<Person> PERSON = new Json<>(Person.class);
    private static final Serde<Auction> AUCTION = new Json<>(Auction.class);
    private static final Serde<Bid> BID = new Json<>(Bid.class);
    private static final Serde<Offer> OFFER = new Json<>(Offer.class);
    private static final Serde<Price> PRICE = new Json<>(Price.class);

    private static final Duration WINDOW = Duration.ofSeconds(10);
    private static final Duration HOP = Duration.ofSeconds(2);
    /**
     * Auctions come to their sellers through a repartition topic, which several tasks write, each at its own pace. What
     * is behind the newest of them by more than the grace would be lost; what is kept for a day is not.
     */
    private static final Duration REPARTITION_GRACE = Duration.ofDays(1);
    private static final Set<String> LOCAL = Set.of("OR", "ID", "CA");
    private static final int LAST = 10;

    private final StreamsBuilder builder = new StreamsBuilder();
    private final String[] sources;
    private final String sink;

    NexmarkQueries(String[] sources, String sink) {
        this.sources = sources;
        this.sink = sink;
    }

    /** The query's topology; null: no query has the name. */
    StreamsBuilder declare(String query) {
        switch (query) {
            case "q0_pass_through" -> bids(0).to(sink, Produced.with(KEY, BID));
            case "q1_currency_conversion" -> bids(0).mapValues(Bid::inEuros).to(sink, Produced.with(KEY, BID));
            case "q2_selection" -> selection();
            case "q3_local_items" -> localItems();
            case "q4_category_prices" -> categoryPrices();
            case "q5_hot_items" -> hotItems();
            case "q6_seller_prices" -> sellerPrices();
            case "q7_highest_bid" -> highestBid();
            case "q8_new_sellers" -> newSellers();
            default -> {
                return null;
            }
        }
        return builder;
    }

    private void selection() {
        bids(0).filter((key, bid) -> bid.auction % 123 == 0)
                .mapValues(AuctionPrice::of)
                .to(sink, Produced.with(KEY, new Json<>(AuctionPrice.class)));
    }

    private void localItems() {
        KTable<Long, Person> sellers = persons(0)
                .filter((key, person) -> LOCAL.contains(person.state))
                .toTable(kept("local-sellers", PERSON));
        ValueJoiner<Auction, Person, LocalItem> joiner = LocalItem::of;
        Serde<LocalItem> item = new Json<>(LocalItem.class);
        auctions(1).filter((key, auction) -> auction.category == 10)
                .toTable(kept("items", AUCTION))
                .join(sellers, auction -> auction.seller, joiner, Materialized.with(KEY, item))
                .toStream()
                .to(sink, Produced.with(KEY, item));
    }

    private void categoryPrices() {
        Serde<Totals> totals = new Json<>(Totals.class);
        offers().filter((key, offer) -> offer.inTime)
                .groupByKey(Grouped.with(KEY, OFFER))
                .reduce(Offer::higher, kept("closing-prices", OFFER))
                .groupBy((key, offer) -> KeyValue.pair(offer.category, offer), Grouped.with(KEY, OFFER))
                .aggregate(
                        Totals::new,
                        (key, offer, sums) -> sums.plus(1, offer.price),
                        (key, offer, sums) -> sums.plus(-1, -offer.price),
                        kept("category-totals", totals))
                .mapValues(sums -> Price.of(sums.total / sums.auctions))
                .toStream()
                .to(sink, Produced.with(KEY, PRICE));
    }

    private void hotItems() {
        Materialized<Long, Long, WindowStore<Bytes, byte[]>> counts = Materialized.as("bids");
        Serde<AuctionBids> counted = new Json<>(AuctionBids.class);
        Serde<HotItems> hot = new Json<>(HotItems.class);
        bids(0).groupByKey(Grouped.with(KEY, BID))
                .windowedBy(TimeWindows.ofSizeWithNoGrace(WINDOW).advanceBy(HOP))
                .count(counts.withKeySerde(KEY).withValueSerde(Serdes.Long()))
                .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
                .toStream()
                .map((key, bids) -> KeyValue.pair(key.window().start(), AuctionBids.of(key.key(), bids)))
                .groupByKey(Grouped.with(KEY, counted))
                .aggregate(HotItems::new, (key, auction, items) -> items.with(auction), kept("hot-items", hot))
                .toStream()
                .to(sink, Produced.with(KEY, hot));
    }

    private void sellerPrices() {
        Serde<Sale> sale = new Json<>(Sale.class);
        Serde<Sale[]> sales = new Json<>(Sale[].class);
        builder.addStateStore(
                Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(Closing.STORE), KEY, OFFER));
        offers().process(Closing::new, Closing.STORE)
                .groupBy((key, sold) -> sold.seller, Grouped.with(KEY, sale))
                .aggregate(() -> new Sale[0], (key, sold, last) -> lastTen(last, sold), kept("last-sales", sales))
                .mapValues(last -> Price.of(Arrays.stream(last).mapToLong(each -> each.price).sum() / last.length))
                .toStream()
                .to(sink, Produced.with(KEY, PRICE));
    }

    private void highestBid() {
        Materialized<Long, Bid, WindowStore<Bytes, byte[]>> highest = Materialized.as("highest-of-auctions");
        bids(0).groupByKey(Grouped.with(KEY, BID))
                .windowedBy(TimeWindows.ofSizeWithNoGrace(WINDOW))
                .reduce(Bid::higher, highest.withKeySerde(KEY).withValueSerde(BID))
                .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
                .toStream()
                .map((key, bid) -> KeyValue.pair(key.window().start(), bid))
                .groupByKey(Grouped.with(KEY, BID))
                .reduce(Bid::higher, kept("highest", BID))
                .toStream()
                .to(sink, Produced.with(KEY, BID));
    }

    private void newSellers() {
        long size = WINDOW.toMillis();
        JoinWindows windows = JoinWindows.ofTimeDifferenceAndGrace(WINDOW, REPARTITION_GRACE);
        ValueJoiner<Person, Auction, NewSeller> joiner = NewSeller::of;
        KStream<Long, Auction> bySeller = auctions(1).selectKey((key, auction) -> auction.seller);
        persons(0).join(bySeller, joiner, windows, StreamJoined.with(KEY, PERSON, AUCTION).withStoreName("new-sellers"))
                .filter((key, seller) -> seller.joined / size == seller.opened / size)
                .to(sink, Produced.with(KEY, new Json<>(NewSeller.class)));
    }

    // What queries have in common.

    private KStream<Long, Person> persons(int source) {
        return stream(source, PERSON, person -> person.dateTime);
    }

    private KStream<Long, Auction> auctions(int source) {
        return stream(source, AUCTION, auction -> auction.dateTime);
    }

    private KStream<Long, Bid> bids(int source) {
        return stream(source, BID, bid -> bid.dateTime);
    }

    private <V> KStream<Long, V> stream(int source, Serde<V> value, ToLongFunction<V> time) {
        return builder.stream(sources[source], consumed(value, time));
    }

    @SuppressWarnings("unchecked")
    private <V> Consumed<Long, V> consumed(Serde<V> value, ToLongFunction<V> time) {
        return Consumed.with(KEY, value)
                .withTimestampExtractor((record, known) -> time.applyAsLong((V) record.value()));
    }

    /** Bids with what their auctions say of them; bids on auctions that are not there yet are left out. */
    private KStream<Long, Offer> offers() {
        KTable<Long, Auction> auctions = builder.table(
                sources[0], consumed(AUCTION, (Auction auction) -> auction.dateTime), kept("auctions", AUCTION));
        ValueJoiner<Bid, Auction, Offer> joiner = Offer::of;
        return bids(1).join(auctions, joiner, Joined.with(KEY, BID, AUCTION));
    }

    /** By the time they closed: they come from several tasks, in any order. */
    private static Sale[] lastTen(Sale[] last, Sale sold) {
        Sale[] all = Stream.concat(Arrays.stream(last), Stream.of(sold)).sorted().toArray(Sale[]::new);
        return all.length <= LAST ? all : Arrays.copyOfRange(all, all.length - LAST, all.length);
    }

    private static <V> Materialized<Long, V, KeyValueStore<Bytes, byte[]>> kept(String store, Serde<V> value) {
        Materialized<Long, V, KeyValueStore<Bytes, byte[]>> kept = Materialized.as(store);
        return kept.withKeySerde(KEY).withValueSerde(value);
    }
}
