package org.apache.spark.examples;

import java.util.concurrent.ThreadLocalRandom;
import org.apache.spark.api.java.function.FilterFunction;
import org.apache.spark.sql.SparkSession;

/**
 * Stands in for the example of that name in the official image, where packages have no jar of it: the same class, path and
 * output. Its argument is the number of partitions, 2 without one.
 */
public final class SparkPi {
    private static final long POINTS_OF_A_PARTITION = 100_000;

    private SparkPi() {}

    public static void main(String[] arguments) {
        int partitions = arguments.length == 0 ? 2 : Integer.parseInt(arguments[0]);
        long points = POINTS_OF_A_PARTITION * partitions;
        SparkSession spark = SparkSession.builder().appName("Spark Pi").getOrCreate();
        long inCircle =
                spark.range(0, points, 1, partitions).filter((FilterFunction<Long>) point -> isInCircle()).count();
        System.out.println("Pi is roughly " + 4.0 * inCircle / points);
        spark.stop();
    }

    private static boolean isInCircle() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        double x = random.nextDouble(-1, 1);
        double y = random.nextDouble(-1, 1);
        return x * x + y * y <= 1;
    }
}
