{{/*
Spark's side of a run: its configuration and command line. Each is called with the root unless said otherwise.

  spark-job.properties            the properties file
  spark-job.applicationArguments  main class, file and arguments, as container arguments
  spark-job.driverAccount         the driver's service account
  spark-job.memory                memory of the driver's container in MiB; call with a dict: root, role
  spark-job.conf                  one setting of sparkConf or global.sparkConf, or nothing; call with a dict: root, key
  spark-job.cores                 CPU to ask of the cluster; call with .Values.driver or .Values.executor
*/}}

{{- define "spark-job.driverAccount" -}}
{{- .Values.driver.serviceAccountName | default .Values.global.serviceAccounts.driver -}}
{{- end }}

{{- define "spark-job.cores" -}}
{{- .requestCores | default .cores | include "spark-common.text" -}}
{{- end }}

{{- define "spark-job.conf" -}}
{{- include "spark-common.conf" (dict "confs" (list .root.Values.global.sparkConf .root.Values.sparkConf) "key" .key) -}}
{{- end }}

{{/* Spark's own rule: a tenth on top, two fifths where Python runs beside the JVM, 384 MiB at least. */}}
{{- define "spark-job.memory" -}}
{{- $values := get .root.Values .role -}}
{{- $heap := include "spark-common.mebibytes" $values.memory | int -}}
{{- $factor := include "spark-job.conf" (dict "root" .root "key" (printf "spark.%s.memoryOverheadFactor" .role)) | default (include "spark-job.overheadFactor" .root) | float64 -}}
{{- $overhead := max 384 (mulf $heap $factor | int) -}}
{{- with $values.memoryOverhead -}}
{{- $overhead = include "spark-common.mebibytes" . | int -}}
{{- end -}}
{{- add $heap $overhead -}}
{{- end }}

{{- define "spark-job.overheadFactor" -}}
{{- eq (include "spark-job.isPython" .) "true" | ternary "0.4" "0.1" -}}
{{- end }}

{{- define "spark-job.applicationArguments" -}}
{{- with .Values.app.mainClass -}}
- --class
- {{ . | quote }}
{{ end -}}
- {{ .Values.app.file | default "local:///opt/kindling/app.py" | replace "$(" "$$(" | quote }}
{{- range .Values.app.args }}
- {{ include "spark-common.text" . | replace "$(" "$$(" | quote }}
{{- end }}
{{- end }}

{{- define "spark-job.properties" -}}
{{- include "spark-common.properties" (list
  (include "spark-job.defaultConf" . | fromYaml)
  .Values.global.sparkConf
  .Values.sparkConf
  (include "spark-job.ownConf" . | fromYaml)) -}}
{{- end }}

{{/* What sparkConf may change. */}}
{{- define "spark-job.defaultConf" -}}
spark.jars.ivy: /tmp/.ivy2
spark.driver.memoryOverheadFactor: {{ include "spark-job.overheadFactor" . }}
spark.executor.memoryOverheadFactor: {{ include "spark-job.overheadFactor" . }}
# The executors' settings come by their pod template: no ConfigMap more for each application.
spark.kubernetes.executor.disableConfigMap: true
# Client mode has no Service; that of cluster mode goes with its owner, the driver's pod.
spark.kubernetes.driver.service.deleteOnTermination: false
{{- if and (eq .Values.mode "cluster") (semverCompare "<1.30-0" .Capabilities.KubeVersion.Version) }}
# Without a guard on what a policy opens, spark-namespace gives nobody who submits the right to make one; Spark before 4.2
# makes none and does not know the setting.
spark.kubernetes.driver.pod.excludedFeatureSteps: org.apache.spark.deploy.k8s.features.NetworkPolicyFeatureStep
{{- end }}
{{- if .Values.metrics.enabled }}
spark.ui.prometheus.enabled: true
spark.metrics.conf.*.sink.prometheusServlet.class: org.apache.spark.metrics.sink.PrometheusServlet
spark.metrics.conf.*.sink.prometheusServlet.path: /metrics/prometheus
{{- end }}
{{ include "spark-common.hardenedConf" (dict "security" (list .Values.global.security .Values.security) "confs" (list .Values.global.sparkConf .Values.sparkConf)) }}
{{ include "spark-common.eventLogDriverConf" .Values.global.eventLog }}
{{ include "spark-common.hadoopConf" .Values.global }}
{{ include "spark-common.s3Conf" .Values.global }}
{{- end }}

{{- define "spark-job.ownConf" -}}
{{- $values := .Values -}}
spark.master: k8s://https://kubernetes.default.svc
spark.app.name: {{ include "spark-job.appName" . | quote }}
spark.kubernetes.namespace: {{ .Release.Namespace | quote }}
spark.kubernetes.container.image: {{ include "spark-common.image" . | quote }}
spark.kubernetes.container.image.pullPolicy: {{ $values.image.pullPolicy }}
spark.kubernetes.authenticate.executor.serviceAccountName: {{ $values.executor.serviceAccountName | default $values.global.serviceAccounts.executor | quote }}
spark.kubernetes.executor.podTemplateFile: /opt/kindling/executor.yaml
spark.kubernetes.executor.podTemplateContainerName: executor
spark.driver.port: {{ include "spark-common.port" "driver" }}
spark.driver.blockManager.port: {{ include "spark-common.port" "blockManager" }}
spark.blockManager.port: {{ include "spark-common.port" "blockManager" }}
spark.driver.memory: {{ $values.driver.memory }}
spark.driver.cores: {{ $values.driver.cores }}
{{ include "spark-job.dependencyConf" . }}
{{ include "spark-job.modeConf" . }}
{{ include "spark-job.executorConf" . }}
{{- end }}

{{/* Any text; a long one is cut in cluster mode, where Spark makes object names of it. */}}
{{- define "spark-job.appName" -}}
{{- $name := .Values.app.name | default .Release.Name -}}
{{- eq .Values.mode "cluster" | ternary (regexFindAll "(?s)." $name 180 | join "") $name -}}
{{- end }}

{{- define "spark-job.modeConf" -}}
{{- if eq .Values.mode "cluster" -}}
{{- $driver := .Values.driver -}}
spark.kubernetes.submission.waitAppCompletion: false
spark.kubernetes.authenticate.driver.serviceAccountName: {{ include "spark-job.driverAccount" . | quote }}
spark.kubernetes.driver.podTemplateContainerName: driver
spark.kubernetes.driver.request.cores: {{ include "spark-job.cores" $driver | quote }}
{{- with $driver.limitCores }}
spark.kubernetes.driver.limit.cores: {{ include "spark-common.text" . | quote }}
{{- end }}
{{- with $driver.memoryOverhead }}
spark.driver.memoryOverhead: {{ . }}
{{- end }}
{{- end -}}
{{- end }}

{{- define "spark-job.executorConf" -}}
{{- $executor := .Values.executor -}}
spark.executor.cores: {{ $executor.cores }}
spark.executor.memory: {{ $executor.memory }}
spark.kubernetes.executor.request.cores: {{ include "spark-job.cores" $executor | quote }}
{{- with $executor.limitCores }}
spark.kubernetes.executor.limit.cores: {{ include "spark-common.text" . | quote }}
{{- end }}
{{- with $executor.memoryOverhead }}
spark.executor.memoryOverhead: {{ . }}
{{- end }}
spark.executor.instances: {{ $executor.instances }}
{{- with $executor.dynamicAllocation }}
{{- if .enabled }}
spark.dynamicAllocation.enabled: true
spark.dynamicAllocation.shuffleTracking.enabled: true
spark.dynamicAllocation.initialExecutors: {{ $executor.instances }}
spark.dynamicAllocation.minExecutors: {{ .min }}
spark.dynamicAllocation.maxExecutors: {{ .max }}
spark.dynamicAllocation.executorIdleTimeout: {{ .idleTimeout }}
{{- end }}
{{- end }}
{{- if $executor.decommission }}
spark.decommission.enabled: true
spark.storage.decommission.enabled: true
spark.storage.decommission.rddBlocks.enabled: true
spark.storage.decommission.shuffleBlocks.enabled: true
{{- end }}
{{- with $executor.rolling }}
{{- if .interval }}
{{- $plugins := include "spark-job.conf" (dict "root" $ "key" "spark.plugins") }}
spark.plugins: {{ compact (list $plugins "org.apache.spark.scheduler.cluster.k8s.ExecutorRollPlugin") | join "," | quote }}
spark.kubernetes.executor.rollInterval: {{ .interval }}
spark.kubernetes.executor.rollPolicy: {{ .policy }}
{{- end }}
{{- end }}
{{- if eq $executor.allocator "statefulset" }}
spark.kubernetes.allocation.pods.allocator: statefulset
{{- end }}
{{- with $executor.terminationGracePeriodSeconds }}
# Spark 4 asks here, and overrides the pod template.
spark.kubernetes.executor.terminationGracePeriodSeconds: {{ int64 . }}s
{{- end }}
{{- range $item := .Values.volumes }}
{{- if and .onDemand (include "spark-job.isMounted" (dict "volume" $item "role" "executor")) }}
{{- $volume := printf "spark.kubernetes.executor.volumes.persistentVolumeClaim.%s" .name }}
{{ $volume }}.options.claimName: OnDemand
{{ $volume }}.options.storageClass: {{ .onDemand.storageClass | quote }}
{{ $volume }}.options.sizeLimit: {{ .onDemand.size | quote }}
{{ $volume }}.mount.path: {{ .mountPath | quote }}
{{ $volume }}.mount.readOnly: {{ .readOnly | default false }}
{{- end }}
{{- end }}
{{- end }}
