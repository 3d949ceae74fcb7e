{{/*
Spark's side of the server. Call with the root.

  spark-history-server.heap        the JVM's heap in MiB
  spark-history-server.disk        what UIs may take of the state's volume, in MiB
  spark-history-server.storeConf   how the store of the event logs is reached, a map
  spark-history-server.hadoopConf  Hadoop's configuration with that in it, a map of Spark's keys
  spark-history-server.folders     the folders of event logs, JSON
  spark-history-server.properties  the properties file
*/}}

{{- define "spark-history-server.heap" -}}
{{- div (mul (include "spark-common.mebibytes" .Values.memory | int64) 6) 10 -}}
{{- end }}

{{- define "spark-history-server.disk" -}}
{{- /* Spark does not count the list of applications, nor what RocksDB has reserved: 70 MiB for each store it writes. */ -}}
{{- $size := include "spark-common.mebibytes" .Values.state.size | int64 -}}
{{- sub $size (max 256 (div $size 10)) -}}
{{- end }}

{{- define "spark-history-server.properties" -}}
{{- include "spark-common.properties" (list .Values.sparkConf (include "spark-history-server.ownConf" . | fromYaml) (include "spark-history-server.hadoopConf" . | fromYaml)) -}}
{{- end }}

{{/* What the team's applications have of Spark's own is no matter of the server. */}}
{{- define "spark-history-server.hadoopConf" -}}
{{- $found := dict -}}
{{- range $conf := list .Values.global.sparkConf .Values.sparkConf (include "spark-history-server.storeConf" . | fromYaml) -}}
{{- range $key, $value := $conf -}}
{{- if hasPrefix "spark.hadoop." $key -}}
{{- $_ := set $found $key $value -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $found -}}
{{- end }}

{{- define "spark-history-server.storeConf" -}}
{{- if eq .Values.global.eventLog.store "s3" }}
{{- include "spark-common.s3Conf" .Values.global }}
{{- end }}
{{- $log := .Values.global.eventLog }}
{{- $others := dict }}
{{- range .Values.moreFolders }}
{{- $_ := set $others (urlParse .).host . }}
{{- end }}
{{ include "spark-common.eventLogConf" $log }}
{{- if eq $log.store "s3" }}
{{- range $bucket, $url := omit $others (urlParse $log.url).host }}
{{ include "spark-common.eventLogConf" (merge (dict "url" $url) $log) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "spark-history-server.folders" -}}
{{- $folders := list (include "spark-common.eventLogUrl" .Values.global.eventLog) -}}
{{- range .Values.moreFolders -}}
{{- $folders = append $folders (include "spark-common.folder" .) -}}
{{- end -}}
{{- toJson $folders -}}
{{- end }}

{{- define "spark-history-server.ownConf" -}}
spark.history.fs.logDirectory: {{ include "spark-history-server.folders" . | fromJsonArray | join "," | quote }}
spark.history.fs.update.interval: {{ .Values.updateInterval }}
spark.history.ui.port: {{ include "spark-common.port" "history" }}
spark.history.retainedApplications: {{ .Values.retainedApplications }}
spark.history.store.path: /var/spark/history
spark.history.store.maxDiskUsage: {{ include "spark-history-server.disk" . }}m
spark.history.store.serializer: PROTOBUF
# A UI is made in memory first, and then moved to disk: for that RocksDB takes five times as much outside the heap. What
# is larger than this is made on disk at once.
spark.history.store.hybridStore.enabled: true
spark.history.store.hybridStore.diskBackend: ROCKSDB
spark.history.store.hybridStore.maxMemoryUsage: {{ div (include "spark-common.mebibytes" .Values.memory | int64) 16 }}m
spark.history.fs.cleaner.enabled: {{ .Values.cleaner.enabled }}
spark.history.fs.cleaner.interval: {{ .Values.cleaner.interval }}
spark.history.fs.cleaner.maxAge: {{ .Values.cleaner.maxAge }}
{{- with .Values.cleaner.maxApplications }}
spark.history.fs.cleaner.maxNum: {{ . }}
{{- end }}
{{- with .Values.compactionFiles }}
spark.history.fs.eventLog.rolling.maxFilesToRetain: {{ . }}
# A compacted file keeps the name of the driver's, which tells readers the codec: it must be the same.
spark.eventLog.compress: true
spark.eventLog.compression.codec: zstd
{{- end }}
{{- if eq .Values.auth.mode "jws" }}
spark.ui.filters: {{ compact (list "org.apache.spark.ui.JWSFilter" (index .Values.sparkConf "spark.ui.filters")) | join "," | quote }}
{{- end }}
{{- if and .Values.ingress.enabled (ne .Values.ingress.path "/") }}
spark.ui.proxyBase: {{ .Values.ingress.path | quote }}
{{- end }}
{{- with (include "spark-history-server.hadoop" . | fromJson).principal }}
spark.history.kerberos.enabled: true
spark.history.kerberos.principal: {{ quote . }}
spark.history.kerberos.keytab: /etc/spark-kerberos/keytab
{{- end }}
{{- end }}
