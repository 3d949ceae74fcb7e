{{/*
Spark's side of the cluster. Call with the root.

  spark-standalone.masterUrl   spark://…, as drivers and workers name the master
  spark-standalone.uiPath      the path of the master's UI at spark-ui-proxy; nothing where it does not show it
  spark-standalone.heap        the master's heap in MiB
  spark-standalone.offered     what a worker offers for heaps of executors, in MiB
  spark-standalone.clientMemory  memory of a driver's container, in MiB
  spark-standalone.secured     what all processes need to agree on, and hide, a map; call with the confs
  spark-standalone.clusterConf, spark-standalone.clientConf
                               what the chart sets, of master and workers, and of drivers, a map
  spark-standalone.fromProxy   a rule of a NetworkPolicy: spark-ui-proxy to a UI
  spark-standalone.executorPorts  where workers' executors listen, as ports of a NetworkPolicy
*/}}

{{- define "spark-standalone.masterUrl" -}}
spark://{{ .Release.Name }}.{{ .Release.Namespace }}.svc:{{ include "spark-common.port" "master" }}
{{- end }}

{{- define "spark-standalone.uiPath" -}}
{{- $proxy := .Values.global.uiProxy -}}
{{- if and $proxy.namespace $proxy.url -}}
{{ (urlParse $proxy.url).path | trimSuffix "/" }}/{{ .Release.Namespace }}/proxy/{{ .Release.Name }}
{{- end -}}
{{- end }}

{{- define "spark-standalone.heap" -}}
{{- div (mul (include "spark-common.mebibytes" .Values.master.memory | int64) 6) 10 -}}
{{- end }}

{{- define "spark-standalone.offered" -}}
{{- div (mul (sub (include "spark-common.mebibytes" .Values.worker.memory | int64) 384) 7) 10 -}}
{{- end }}

{{- define "spark-standalone.clientMemory" -}}
{{- $heap := include "spark-common.mebibytes" .Values.client.memory | int64 -}}
{{- add $heap (max 384 (div (mul $heap 4) 10)) -}}
{{- end }}

{{- define "spark-standalone.secured" -}}
{{- /* Spark reads the secret from a file on Kubernetes' own scheduler alone: here it is a variable. */ -}}
{{- omit (include "spark-common.preset" . | fromYaml) "spark.authenticate.secret.file" "spark.authenticate.secret.driver.file" "spark.authenticate.secret.executor.file" | toYaml }}
{{- end }}

{{- define "spark-standalone.clusterConf" -}}
{{- include "spark-standalone.secured" (list .Values.sparkConf) }}
# Whoever reaches its port could have it run what they like: it asks nobody for the secret.
spark.master.rest.enabled: false
# Else whoever has a port-forward could send workers away.
spark.master.ui.decommission.allow.mode: DENY
spark.deploy.recoveryMode: FILESYSTEM
spark.deploy.recoveryDirectory: /var/spark/recovery
# These win over the arguments of the programs.
spark.master.ui.port: {{ include "spark-common.port" "masterUi" }}
spark.worker.ui.port: {{ include "spark-common.port" "workerUi" }}
# Workers come back to the Service: a new master has another address.
spark.worker.preferConfiguredMasterAddress: true
spark.worker.cleanup.enabled: true
spark.decommission.enabled: true
# A page of the master leads to workers' pages, which nothing else reaches.
spark.ui.reverseProxy: true
{{- end }}

{{- define "spark-standalone.clientConf" -}}
{{- include "spark-standalone.secured" (list .Values.client.sparkConf) }}
# Spark asks that it is set, and reads the variable itself.
spark.authenticate.secret: ${env:_SPARK_AUTH_SECRET}
spark.master: {{ include "spark-standalone.masterUrl" . }}
spark.driver.memory: {{ include "spark-common.mebibytes" .Values.client.memory }}m
spark.driver.port: {{ include "spark-common.port" "driver" }}
spark.blockManager.port: {{ include "spark-common.port" "blockManager" }}
spark.ui.port: {{ include "spark-common.port" "ui" }}
{{- if lt (include "spark-standalone.offered" . | int) 1024 }}
# Spark's own default, 1g, is more than a worker has.
spark.executor.memory: {{ include "spark-standalone.offered" . }}m
{{- end }}
spark.decommission.enabled: true
spark.storage.decommission.enabled: true
spark.storage.decommission.rddBlocks.enabled: true
spark.storage.decommission.shuffleBlocks.enabled: true
# An executor ends after a round in which nothing was left. Spark's own half a minute makes each wait for one or two.
spark.storage.decommission.replicationReattemptInterval: 3s
{{- include "spark-common.s3Conf" .Values.global }}
{{ include "spark-common.eventLogDriverConf" .Values.global.eventLog }}
{{- end }}

{{- define "spark-standalone.executorPorts" -}}
# One for each executor of a pod: Spark takes the next one that is free.
- { port: {{ include "spark-common.port" "blockManager" }}, endPort: {{ add (include "spark-common.port" "blockManager") 16 }}, protocol: TCP }
{{- end }}

{{- define "spark-standalone.fromProxy" -}}
from:
  - namespaceSelector:
      matchLabels:
        kubernetes.io/metadata.name: {{ .Values.global.uiProxy.namespace | quote }}
    podSelector:
      matchLabels:
        app.kubernetes.io/name: spark-ui-proxy
ports:
  - { port: {{ include "spark-common.port" "ui" }}, protocol: TCP }
{{- end }}
