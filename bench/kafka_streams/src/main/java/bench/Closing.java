package bench;

import bench.NexmarkRecords.Offer;
import bench.NexmarkRecords.Sale;
import java.util.Comparator;
import java.util.PriorityQueue;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/** Keeps the best offer for each auction, and forwards the sale when time has passed the auction's end. */
final class Closing extends ContextualProcessor<Long, Offer, Long, Sale> {
    static final String STORE = "open-auctions";

    private record End(long expires, long auction) {
    }

    private final PriorityQueue<End> ends =
            new PriorityQueue<>(Comparator.comparingLong(End::expires).thenComparingLong(End::auction));
    private KeyValueStore<Long, Offer> best;

    @Override
    public void init(ProcessorContext<Long, Sale> context) {
        super.init(context);
        best = context.getStateStore(STORE);
        ends.clear();
        try (KeyValueIterator<Long, Offer> entries = best.all()) {
            while (entries.hasNext()) {
                KeyValue<Long, Offer> entry = entries.next();
                ends.add(new End(entry.value.expires, entry.key));
            }
        }
    }

    @Override
    public void process(Record<Long, Offer> record) {
        while (!ends.isEmpty() && ends.peek().expires() < record.timestamp()) {
            close(ends.poll());
        }
        Offer offer = record.value();
        if (!offer.inTime) {
            return;
        }
        Offer before = best.get(record.key());
        if (before == null) {
            ends.add(new End(offer.expires, record.key()));
        }
        if (before == null || offer.price > before.price) {
            best.put(record.key(), offer);
        }
    }

    private void close(End end) {
        Offer offer = best.delete(end.auction());
        context().forward(new Record<>(end.auction(), Sale.of(end.auction(), offer), end.expires()));
    }
}
