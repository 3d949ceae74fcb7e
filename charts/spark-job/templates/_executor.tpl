{{/*
The executors' pod template, in both deploy modes: Spark adds name, service account, image, command, ports and
resources, and the driver as owner.

  spark-job.executor   YAML with metadata and spec; call with a dict: root, configMap (its name)
*/}}
{{- define "spark-job.executor" -}}
{{- include "spark-job.mergePod" (dict "root" .root "role" "executor" "pod" (include "spark-job.executorPod" .)) -}}
{{- end }}

{{- define "spark-job.executorPod" -}}
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
  enableServiceLinks: false
  securityContext:
    {{- include "spark-common.podSecurityContext" $root | nindent 4 }}
  {{- include "spark-common.pullSecrets" $values.image.pullSecrets | nindent 2 }}
  {{- $class := $executor.priorityClassName | default $values.global.priorityClasses.executor }}
  {{- include "spark-common.placement" (merge (dict "priorityClassName" $class) $executor) | nindent 2 }}
  topologySpreadConstraints:
    {{- include "spark-common.spread" (dict "list" $executor.topologySpreadConstraints "labels" (include "spark-common.podLabels" (dict "root" $root "component" "executor"))) | nindent 4 }}
  {{- if not (kindIs "invalid" $executor.terminationGracePeriodSeconds) }}
  terminationGracePeriodSeconds: {{ int64 $executor.terminationGracePeriodSeconds }}
  {{- end }}
  initContainers:
    {{- include "spark-common.trustInit" (merge (dict "image" (include "spark-common.image" $root)) $outside) | nindent 4 }}
    {{- include "spark-common.containers" (dict "list" $executor.sidecars "restartPolicy" "Always") | nindent 4 }}
    {{- include "spark-common.containers" (dict "list" $executor.initContainers) | nindent 4 }}
  containers:
    - name: executor
      env:
        {{- include "spark-common.env" (include "spark-job.roleEnv" (dict "root" $root "role" "executor") | fromJson) | nindent 8 }}
        {{- if include "spark-common.hasLog" $values.log }}
        {{- include "spark-common.logEnv" . | nindent 8 }}
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
        {{- include "spark-job.mounts" (dict "root" $root "role" "executor") | nindent 8 }}
        {{- if include "spark-common.hasLog" $values.log }}
        {{- include "spark-common.logMount" . | nindent 8 }}
        {{- end }}
        {{- include "spark-common.authMount" $security | nindent 8 }}
        {{- include "spark-common.hadoopMounts" (dict "global" $values.global) | nindent 8 }}
        {{- include "spark-common.outsideMounts" $outside | nindent 8 }}
  volumes:
    {{- include "spark-common.scratchVolumes" $root | nindent 4 }}
    {{- include "spark-job.volumes" (dict "root" $root "role" "executor") | nindent 4 }}
    {{- if include "spark-common.hasLog" $values.log }}
    {{- include "spark-common.logVolume" .configMap | nindent 4 }}
    {{- end }}
    {{- include "spark-common.authVolume" $security | nindent 4 }}
    {{- include "spark-common.hadoopVolumes" (dict "global" $values.global) | nindent 4 }}
    {{- include "spark-common.outsideVolumes" $outside | nindent 4 }}
{{- end }}
