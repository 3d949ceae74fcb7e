{{/*
What the pod of any driver has besides its own: a Job's, a notebook's. Call with a dict: root, configMap (name of the ConfigMap that it
reads), ownLog (true if values ask for a log and the pod may have it), unless said otherwise.

  spark-common.driverDefaults  Spark configuration that sparkConf may change, a map; call with a dict: root, factor (the overhead)
  spark-common.driverConf      what the charts set themselves, a map; call with the root
  spark-common.pythonConf      the same of a driver in client mode whose application is Python's
  spark-common.lastingName     name of the StatefulSet of a driver that lasts; call with the root
  spark-common.tokenVolume     the Secret with the token that people log in with, in a list, or nothing; call with a dict: name (of the
                               Secret), key
  spark-common.driverAccount   service account of the pod; call with the root
  spark-common.driverPorts     ports of the container
  spark-common.driverResources  what the container asks for; call with a dict: root, memory (MiB)
  spark-common.driverSelf      variables by which the container knows its pod: POD_NAME, POD_UID, POD_IP
  spark-common.driverEnv       variables of the container; besides, env: the user's
  spark-common.driverMounts    mounts of the container
  spark-common.driverVolumes   volumes of the pod
*/}}

{{- define "spark-common.driverDefaults" -}}
{{- $values := .root.Values -}}
spark.jars.ivy: /tmp/.ivy2
spark.driver.memoryOverheadFactor: {{ .factor }}
spark.executor.memoryOverheadFactor: {{ .factor }}
# The executors' settings come by their pod template: no ConfigMap more for each application.
spark.kubernetes.executor.disableConfigMap: true
{{- if and $values.global.priorityClasses.executor (not $values.failFast) }}
# The team's quota has parts, and executors' part becomes free when another run ends: Spark 4.3, which takes a refused executor for
# a failed one and asks again each second, would end the application after a few.
spark.executor.maxNumFailures: 1000000
{{- end }}
{{- if $values.executor.decommission }}
# An executor with nothing to hand on still waits for one interval before it ends. Spark's default is 30 s.
spark.storage.decommission.replicationReattemptInterval: 1s
{{- end }}
{{- if $values.metrics.enabled }}
spark.ui.prometheus.enabled: true
spark.metrics.conf.*.sink.prometheusServlet.class: org.apache.spark.metrics.sink.PrometheusServlet
spark.metrics.conf.*.sink.prometheusServlet.path: /metrics/prometheus
{{- end }}
{{ include "spark-common.hardenedConf" (dict "security" (list $values.global.security $values.security) "confs" (list $values.global.sparkConf $values.sparkConf)) }}
{{ include "spark-common.eventLogDriverConf" $values.global.eventLog }}
{{ include "spark-common.hadoopConf" $values.global }}
{{ include "spark-common.s3Conf" $values.global }}
{{- end }}

{{- define "spark-common.driverConf" -}}
{{- $values := .Values -}}
spark.master: {{ include "spark-common.master" . | quote }}
spark.kubernetes.namespace: {{ .Release.Namespace | quote }}
spark.kubernetes.container.image: {{ include "spark-common.image" . | quote }}
{{- $own := dict "root" . "role" "executor" }}
{{- if include "spark-common.hasOwnImage" $own }}
spark.kubernetes.executor.container.image: {{ include "spark-common.roleImage" $own | quote }}
{{- end }}
spark.kubernetes.container.image.pullPolicy: {{ $values.image.pullPolicy }}
spark.kubernetes.authenticate.executor.serviceAccountName: {{ $values.executor.serviceAccountName | default $values.global.serviceAccounts.executor | quote }}
spark.kubernetes.executor.podTemplateFile: /opt/kindling/executor.yaml
spark.kubernetes.executor.podTemplateContainerName: executor
spark.driver.port: {{ include "spark-common.port" "driver" }}
spark.driver.blockManager.port: {{ include "spark-common.port" "blockManager" }}
spark.blockManager.port: {{ include "spark-common.port" "blockManager" }}
spark.driver.memory: {{ $values.driver.memory }}
spark.driver.cores: {{ $values.driver.cores }}
{{ include "spark-common.executorConf" . }}
{{- end }}

{{/* spark-submit says it in cluster mode; without it, executors' pods lack what spark.executor.pyspark.memory asks for. */}}
{{- define "spark-common.pythonConf" -}}
spark.kubernetes.resource.type: python
{{- end }}

{{- define "spark-common.driverAccount" -}}
{{- .Values.driver.serviceAccountName | default .Values.global.serviceAccounts.driver -}}
{{- end }}

{{- define "spark-common.driverPorts" -}}
- { name: driver-rpc-port, containerPort: {{ include "spark-common.port" "driver" }} }
- { name: blockmanager, containerPort: {{ include "spark-common.port" "blockManager" }} }
- { name: spark-ui, containerPort: {{ include "spark-common.port" "ui" }} }
{{- end }}

{{- define "spark-common.driverResources" -}}
{{- $driver := .root.Values.driver -}}
requests:
  cpu: {{ include "spark-common.cores" $driver | quote }}
  memory: {{ .memory }}Mi
limits:
  {{- with $driver.limitCores }}
  cpu: {{ include "spark-common.text" . | quote }}
  {{- end }}
  memory: {{ .memory }}Mi
  {{- /* As Spark asks for them where it makes the pod. */}}
  {{- $conf := dict }}
  {{- range $given := list .root.Values.global.sparkConf .root.Values.sparkConf }}
  {{- range $key, $value := $given }}
  {{- $_ := set $conf $key (include "spark-common.text" $value) }}
  {{- end }}
  {{- end }}
  {{- range $key, $amount := $conf }}
  {{- with regexFind "^spark[.]driver[.]resource[.][^.]+[.]amount$" $key }}
  {{- $resource := trimSuffix ".amount" . }}
  {{- with get $conf (printf "%s.vendor" $resource) }}
  {{ printf "%s/%s" . (trimPrefix "spark.driver.resource." $resource) | quote }}: {{ $amount | quote }}
  {{- end }}
  {{- end }}
  {{- end }}
{{- end }}

{{- define "spark-common.driverSelf" -}}
- name: POD_NAME
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
- name: POD_UID
  valueFrom: { fieldRef: { fieldPath: metadata.uid } }
- name: POD_IP
  valueFrom: { fieldRef: { fieldPath: status.podIP } }
{{- end }}

{{- define "spark-common.driverEnv" -}}
{{- $values := .root.Values -}}
{{ include "spark-common.env" .env }}
{{- if .ownLog }}
{{ include "spark-common.confFolder" . }}
{{- end }}
{{ include "spark-common.eventLogEnv" $values.global.eventLog }}
{{ include "spark-common.hadoopEnv" (dict "global" $values.global "isDriver" true) }}
{{ include "spark-common.outsideEnv" (dict "global" $values.global "opensS3" true "eventLog" $values.global.eventLog) }}
{{- end }}

{{- define "spark-common.driverMounts" -}}
{{- $values := .root.Values -}}
{{ include "spark-common.scratchMounts" .root }}
{{ include "spark-common.mounts" (dict "root" .root "role" "driver") }}
{{ include "spark-common.runMount" . }}
{{- if .ownLog }}
{{ include "spark-common.logMount" . }}
{{- end }}
{{ include "spark-common.authMount" (list $values.global.security $values.security) }}
{{ include "spark-common.eventLogMounts" $values.global.eventLog }}
{{ include "spark-common.hadoopMounts" (dict "global" $values.global "login" (include "spark-common.login" $values.global | fromYaml)) }}
{{ include "spark-common.outsideMounts" (dict "global" $values.global "opensS3" true "eventLog" $values.global.eventLog) }}
{{- end }}

{{- define "spark-common.driverVolumes" -}}
{{- $values := .root.Values -}}
{{ include "spark-common.scratchVolumes" .root }}
{{ include "spark-common.volumes" (dict "root" .root "role" "driver") }}
{{ include "spark-common.runVolume" .configMap }}
{{- if .ownLog }}
{{ include "spark-common.logVolume" .configMap }}
{{- end }}
{{ include "spark-common.authVolume" (list $values.global.security $values.security) }}
{{ include "spark-common.eventLogVolumes" $values.global.eventLog }}
{{ include "spark-common.hadoopVolumes" (dict "global" $values.global "login" (include "spark-common.login" $values.global | fromYaml)) }}
{{ include "spark-common.outsideVolumes" (dict "global" $values.global "opensS3" true "eventLog" $values.global.eventLog) }}
{{- end }}

{{/* Kubernetes makes a label of it, with 11 characters more. */}}
{{- define "spark-common.lastingName" -}}
{{- include "spark-common.shortened" (dict "name" .Release.Name "most" 52) -}}
{{- end }}

{{- define "spark-common.tokenVolume" -}}
{{- if .name }}
- name: login
  secret:
    secretName: {{ .name | quote }}
    # 0440: the pod's fsGroup reads it.
    defaultMode: 288
    items:
      - { key: {{ .key | quote }}, path: token }
{{- end }}
{{- end }}
