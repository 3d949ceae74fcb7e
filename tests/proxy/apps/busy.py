"""Two applications with something on each page of their UIs: one that ends, and one that stays, with jobs to kill."""

import threading
import time
import uuid

from pyspark import SparkContext
from pyspark.sql import SparkSession
from pyspark.streaming import StreamingContext


def work() -> SparkSession:
    """An application that has run SQL and jobs, has cached data, and runs a streaming query."""
    spark = SparkSession.builder.appName("busy").getOrCreate()
    context = spark.sparkContext
    spark.range(1000).createOrReplaceTempView("numbers")
    spark.sql("CACHE TABLE kept AS SELECT id, id % 7 AS seven FROM numbers")
    spark.sql("SELECT seven, count(*) FROM kept GROUP BY seven ORDER BY seven").collect()
    context.parallelize(range(100), 4).map(lambda number: (number % 3, number)).reduceByKey(max).collect()
    context.parallelize(range(1000), 4).cache().count()
    query = (
        spark.readStream.format("rate")
        .load()
        .writeStream.format("memory")
        .queryName("ticks")
        .trigger(processingTime="10 seconds")
    ).start()
    while not query.recentProgress:
        time.sleep(0.2)
    server = context.getConf().get("spark.connect.grpc.binding.address")
    if server:
        ask_over_connect(context, server)
    return spark


def ask_over_connect(context: SparkContext, server: str) -> None:
    """A query by Spark Connect; its client is the JVM's, as the image has no gRPC for Python."""
    jvm = context._jvm
    proto = jvm.org.apache.spark.connect.proto
    channel = jvm.org.sparkproject.connect.grpc.ManagedChannelBuilder.forAddress(server, 15002).usePlaintext().build()
    sql = proto.SQL.newBuilder().setQuery("SELECT count(*) FROM range(1000)")
    request = (
        proto.ExecutePlanRequest.newBuilder()
        .setSessionId(str(uuid.uuid4()))
        .setUserContext(proto.UserContext.newBuilder().setUserId("ada"))
        .setPlan(proto.Plan.newBuilder().setRoot(proto.Relation.newBuilder().setSql(sql)))
        .build()
    )
    answers = proto.SparkConnectServiceGrpc.newBlockingStub(channel).executePlan(request)
    while answers.hasNext():
        answers.next()
    channel.shutdownNow()


def stream(context: SparkContext) -> None:
    """Spark's older streaming, until its first batch is done; it goes on."""
    done = threading.Event()
    streaming = StreamingContext(context, 5)
    numbers = streaming.queueStream([context.parallelize(range(10))])
    numbers.foreachRDD(lambda part: done.set() if part.count() else None)
    streaming.start()
    done.wait()


def keep_a_job_running(context: SparkContext) -> None:
    """One job after the other that lasts until it is killed; its one task leaves a core to the streams."""
    while True:
        try:
            context.setJobGroup("long", "a job to kill", interruptOnCancel=True)
            context.parallelize(range(1000), 1).map(lambda _: time.sleep(1)).count()
        except Exception as error:
            print("KILLED", str(error).splitlines()[0], flush=True)


spark = work()
ended = spark.sparkContext.applicationId
for query in spark.streams.active:
    query.stop()
spark.stop()
spark = work()
stream(spark.sparkContext)
threading.Thread(target=keep_a_job_running, args=[spark.sparkContext], daemon=True).start()
print("READY", ended, spark.sparkContext.applicationId, flush=True)
spark.streams.awaitAnyTermination()
