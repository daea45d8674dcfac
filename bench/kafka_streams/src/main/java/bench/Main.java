package bench;

import java.util.Properties;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;

/**
 * Runs one workload, or one query of Nexmark, until it is told to end.
 *
 * <p>Arguments: workload, bootstrap servers, source topics with commas, sink topic, application id, state directory, and
 * any number of Kafka Streams' settings as name=value. What is not set is as Kafka Streams has it.
 */
public final class Main {
    private Main() {
    }

    public static void main(String[] arguments) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[1]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[4]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[5]);
        for (int i = 6; i < arguments.length; i++) {
            String[] setting = arguments[i].split("=", 2);
            settings.put(setting[0], setting[1]);
        }
        String[] sources = arguments[2].split(",");
        StreamsBuilder query = new NexmarkQueries(sources, arguments[3]).declare(arguments[0]);
        StreamsBuilder builder = query != null ? query : new Workloads(sources, arguments[3]).declare(arguments[0]);
        KafkaStreams streams = new KafkaStreams(builder.build(settings), settings);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return null;
        });
        streams.setGlobalStateRestoreListener(new RestoreTimes());
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }
}
