package local.kindling.examples;

import static org.apache.spark.sql.functions.col;

import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Which sum of digits have most of the numbers below a limit?
 *
 * <p>Arguments: the limit and, to see how a run ends, {@code exit=CODE} or {@code throw=MESSAGE}. Prints one line,
 * {@code limit=1000 digit-sum=13 numbers=75}; of several such sums it is the smallest.
 */
public final class DigitSums {
  private DigitSums() {}

  public static void main(String[] args) {
    if (args.length == 0) {
      throw new IllegalArgumentException("arguments: LIMIT [exit=CODE | throw=MESSAGE]");
    }
    long limit = Long.parseLong(args[0]);
    SparkSession spark = SparkSession.builder().appName("digit-sums").getOrCreate();
    // The executors call this class for each number: they need the jar as the driver does.
    Dataset<Integer> sums = spark.range(limit).map((MapFunction<Long, Integer>) DigitSums::digitSum, Encoders.INT());
    Row most = sums.groupBy("value").count().orderBy(col("count").desc(), col("value")).first();
    System.out.printf("limit=%d digit-sum=%d numbers=%d%n", limit, most.getInt(0), most.getLong(1));
    if (args.length > 1) {
      end(args[1]);
    }
    spark.stop();
  }

  private static int digitSum(long number) {
    int sum = 0;
    for (long rest = number; rest > 0; rest /= 10) {
      sum += (int) (rest % 10);
    }
    return sum;
  }

  private static void end(String how) {
    String[] parts = how.split("=", 2);
    switch (parts[0]) {
      case "exit":
        System.exit(Integer.parseInt(parts[1]));
        break;
      case "throw":
        throw new IllegalStateException(parts[1]);
      default:
        throw new IllegalArgumentException("not exit=CODE or throw=MESSAGE: " + how);
    }
  }
}
