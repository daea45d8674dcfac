package bench;

import java.util.Properties;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;

/**
 * Runs one workload until it is told to end.
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
        Workloads workloads = new Workloads(arguments[2].split(","), arguments[3]);
        KafkaStreams streams = new KafkaStreams(workloads.declare(arguments[0]).build(settings), settings);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return null;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }
}
