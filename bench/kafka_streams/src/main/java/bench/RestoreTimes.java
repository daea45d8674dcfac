package bench;

import java.util.Locale;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.processor.StateRestoreListener;

/** Prints one JSON object when a partition of a store begins to be restored and when it has been. */
final class RestoreTimes implements StateRestoreListener {
    @Override
    public void onRestoreStart(TopicPartition partition, String store, long from, long to) {
        tell(0, false);
    }

    @Override
    public void onBatchRestored(TopicPartition partition, String store, long offset, long number) {
    }

    @Override
    public void onRestoreEnd(TopicPartition partition, String store, long total) {
        tell(total, true);
    }

    private static void tell(long restored, boolean done) {
        double now = System.currentTimeMillis() / 1000.0;
        System.out.println(String.format(Locale.ROOT, "{\"at\": %.3f, \"restored\": %d, \"done\": %b}", now, restored, done));
    }
}
