{{/*
The executors' pod template, in both deploy modes: Spark adds name, service account, image, command, ports and
resources, and the driver as owner.

  spark-common.executor      YAML with metadata and spec; call with a dict: root, configMap (name of the one with the log's
                             configuration), env (the user's variables)
  spark-common.executorConf  Spark configuration of executors, a map; call with the root
  spark-common.runsAlone  "true" if the driver has no executors and runs all tasks itself; call with the root
  spark-common.localMaster  Spark's master of such a driver; call with the root
  spark-common.master    Spark's master of a driver in client mode; call with the root
*/}}
{{- define "spark-common.executor" -}}
{{- /* Spark adds claims on demand. */ -}}
{{- $root := .root -}}
{{- $others := list -}}
{{- range .root.Values.volumes -}}
{{- if include "spark-common.isMadeBySpark" (dict "root" $root "volume" . "role" "executor") -}}
{{- $others = append $others . -}}
{{- end -}}
{{- end -}}
{{- include "spark-common.mergeRole" (dict "root" .root "role" "executor" "pod" (include "spark-common.executorPod" .) "others" $others) -}}
{{- end }}

{{- define "spark-common.executorPod" -}}
{{- $root := .root -}}
{{- $values := .root.Values -}}
{{- $executor := .root.Values.executor -}}
{{- $security := list $values.global.security $values.security -}}
{{- $outside := dict "global" $values.global "opensS3" true -}}
metadata:
  labels:
    {{- include "spark-common.podLabels" (dict "root" $root "component" "executor") | nindent 4 }}
    {{- if $values.global.isolateApplications }}
    kindling.local/isolated: "true"
    {{- end }}
    {{- with $executor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- with $executor.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  automountServiceAccountToken: false
  {{- include "spark-common.rolePlace" (dict "root" $root "role" "executor") | nindent 2 }}
  initContainers:
    {{- include "spark-common.roleInit" (dict "root" $root "role" "executor" "outside" $outside) | nindent 4 }}
  containers:
    - name: executor
      env:
        {{- include "spark-common.env" .env | nindent 8 }}
        {{- if or (include "spark-common.hasLog" $values.log) (include "spark-common.hasConfFiles" $values.volumes) }}
        {{- include "spark-common.confFolder" . | nindent 8 }}
        {{- end }}
        {{- include "spark-common.authEnv" $security | nindent 8 }}
        {{- include "spark-common.hadoopEnv" (dict "global" $values.global "isDriver" false) | nindent 8 }}
        {{- include "spark-common.outsideEnv" $outside | nindent 8 }}
      {{- with $executor.envFrom }}
      envFrom: {{ toYaml . | nindent 8 }}
      {{- end }}
      # The last lines of a container that failed stand in its status.
      terminationMessagePolicy: FallbackToLogsOnError
      securityContext:
        {{- include "spark-common.containerSecurityContext" $root | nindent 8 }}
      volumeMounts:
        {{- include "spark-common.scratchMounts" $root | nindent 8 }}
        {{- include "spark-common.mounts" (dict "root" $root "role" "executor") | nindent 8 }}
        {{- if include "spark-common.hasLog" $values.log }}
        {{- include "spark-common.logMount" . | nindent 8 }}
        {{- end }}
        {{- include "spark-common.authMount" $security | nindent 8 }}
        {{- include "spark-common.hadoopMounts" (dict "global" $values.global) | nindent 8 }}
        {{- include "spark-common.outsideMounts" $outside | nindent 8 }}
  volumes:
    {{- include "spark-common.scratchVolumes" $root | nindent 4 }}
    {{- include "spark-common.volumes" (dict "root" $root "role" "executor") | nindent 4 }}
    {{- if include "spark-common.hasLog" $values.log }}
    {{- include "spark-common.logVolume" .configMap | nindent 4 }}
    {{- end }}
    {{- include "spark-common.authVolume" $security | nindent 4 }}
    {{- include "spark-common.hadoopVolumes" (dict "global" $values.global) | nindent 4 }}
    {{- include "spark-common.outsideVolumes" $outside | nindent 4 }}
{{- end }}

{{- define "spark-common.executorConf" -}}
{{- $executor := .Values.executor -}}
spark.executor.cores: {{ $executor.cores }}
spark.executor.memory: {{ $executor.memory }}
spark.kubernetes.executor.request.cores: {{ include "spark-common.cores" $executor | quote }}
{{- with $executor.limitCores }}
spark.kubernetes.executor.limit.cores: {{ include "spark-common.text" . | quote }}
{{- end }}
{{- with $executor.memoryOverhead }}
spark.executor.memoryOverhead: {{ . }}
{{- end }}
{{- /* Spark refuses 0 of them. */}}
{{- if not (include "spark-common.runsAlone" .) }}
spark.executor.instances: {{ $executor.instances }}
{{- end }}
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
{{- $plugins := include "spark-common.setting" (dict "root" $ "key" "spark.plugins") }}
spark.plugins: {{ compact (list $plugins "org.apache.spark.scheduler.cluster.k8s.ExecutorRollPlugin") | join "," | quote }}
spark.kubernetes.executor.rollInterval: {{ .interval }}
spark.kubernetes.executor.rollPolicy: {{ .policy }}
{{- end }}
{{- end }}
{{- include "spark-common.idAnnotations" (dict "annotations" $executor.annotations "role" "executor") }}
{{- if eq $executor.allocator "statefulset" }}
spark.kubernetes.allocation.pods.allocator: statefulset
{{- end }}
{{- with $executor.terminationGracePeriodSeconds }}
# Spark 4 asks here, and overrides the pod template.
spark.kubernetes.executor.terminationGracePeriodSeconds: {{ int64 . }}s
{{- end }}
{{- range $item := .Values.volumes }}
{{- if include "spark-common.isMadeBySpark" (dict "root" $ "volume" $item "role" "executor") }}
{{- $volume := printf "spark.kubernetes.executor.volumes.persistentVolumeClaim.%s" .name }}
{{ $volume }}.options.claimName: OnDemand
{{ $volume }}.options.storageClass: {{ .onDemand.storageClass | quote }}
{{ $volume }}.options.sizeLimit: {{ .onDemand.size | quote }}
{{ $volume }}.mount.path: {{ .mountPath | quote }}
{{ $volume }}.mount.readOnly: {{ .readOnly | default false }}
{{- end }}
{{- end }}
{{- end }}

{{- define "spark-common.runsAlone" -}}
{{- $executor := .Values.executor -}}
{{- if and (eq (int $executor.instances) 0) (not $executor.dynamicAllocation.enabled) -}}
true
{{- end -}}
{{- end }}

{{- define "spark-common.localMaster" -}}
local[{{ int .Values.driver.cores }}]
{{- end }}

{{- define "spark-common.master" -}}
{{- if include "spark-common.runsAlone" . -}}
{{- include "spark-common.localMaster" . -}}
{{- else -}}
k8s://https://kubernetes.default.svc
{{- end -}}
{{- end }}
