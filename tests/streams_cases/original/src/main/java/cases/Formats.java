package cases;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.kstream.Window;
import org.apache.kafka.streams.kstream.Windowed;

/** Keys as UTF-8, values as JSON. */
final class Formats {
    static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.USE_LONG_FOR_INTS);

    /** Ends a windowed key; no UTF-8 text has such a byte. */
    private static final byte WINDOWED = (byte) 0xFF;
    private static final int BOUNDS = 2 * Long.BYTES + 1;

    private Formats() {
    }

    /**
     * A key of any kind. One serde has to do for plain and for windowed keys, since cases send either to any topic: a
     * windowed key has its bounds behind its text.
     */
    public static final class Keys extends Serdes.WrapperSerde<Object> {
        public Keys() {
            super((topic, key) -> written(key), (topic, bytes) -> read(bytes));
        }

        private static byte[] written(Object key) {
            if (key instanceof Windowed<?> windowed) {
                byte[] text = ((String) windowed.key()).getBytes(StandardCharsets.UTF_8);
                return ByteBuffer.allocate(text.length + BOUNDS).put(text)
                    .putLong(windowed.window().start()).putLong(windowed.window().end()).put(WINDOWED).array();
            }
            return key == null ? null : ((String) key).getBytes(StandardCharsets.UTF_8);
        }

        private static Object read(byte[] bytes) {
            if (bytes == null) {
                return null;
            }
            if (bytes.length == 0 || bytes[bytes.length - 1] != WINDOWED) {
                return new String(bytes, StandardCharsets.UTF_8);
            }
            int length = bytes.length - BOUNDS;
            ByteBuffer bounds = ByteBuffer.wrap(bytes, length, BOUNDS);
            String text = new String(Arrays.copyOf(bytes, length), StandardCharsets.UTF_8);
            return new Windowed<>(text, new Bounds(bounds.getLong(), bounds.getLong()));
        }
    }

    /** A window whose kind is not known any more. */
    private static final class Bounds extends Window {
        Bounds(long start, long end) {
            super(start, end);
        }

        @Override
        public boolean overlap(Window other) {
            return startMs <= other.end() && other.start() <= endMs;
        }
    }

    /** A long, a string, a list or a map. */
    public static final class Values extends Serdes.WrapperSerde<Object> {
        public Values() {
            super((topic, value) -> written(value), (topic, bytes) -> read(bytes));
        }

        private static byte[] written(Object value) {
            try {
                return value == null ? null : JSON.writeValueAsBytes(value);
            } catch (JsonProcessingException error) {
                throw new UncheckedIOException(error);
            }
        }

        private static Object read(byte[] bytes) {
            try {
                return bytes == null ? null : JSON.readValue(bytes, Object.class);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }
}
