{{/*
The submitter's pod, cluster mode's Job: it submits a driver, and follows it to its end.

  spark-job.submitter   YAML with metadata and spec; call with a dict: root, configMap (its name)
*/}}
{{- define "spark-job.submitter" -}}
{{- /* Files are copied there. */ -}}
{{- $others := list (dict "name" "kindling-copy" "mountPath" "/tmp/kindling") -}}
{{- include "spark-common.mergeRole" (dict "root" .root "role" "submitter" "pod" (include "spark-job.submitterPod" .) "others" $others) -}}
{{- end }}

{{- define "spark-job.submitterPod" -}}
{{- $root := .root -}}
{{- $values := .root.Values -}}
{{- $submitter := .root.Values.submitter -}}
{{- $helpers := .root.Values.global.helpers -}}
{{- $opens := include "spark-job.submitterOpensStores" $root | eq "true" -}}
{{- $hadoop := dict -}}
{{- if $opens -}}
{{- $hadoop = dict "global" $values.global "login" (include "spark-common.login" $values.global | fromYaml) -}}
{{- end -}}
{{- $outside := dict "global" $values.global "opensS3" $opens -}}
metadata:
  labels:
    {{- include "spark-common.podLabels" (dict "root" $root "component" "submitter") | nindent 4 }}
    {{- with $helpers.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- with $helpers.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  restartPolicy: Never
  serviceAccountName: {{ $values.global.serviceAccounts.submitter | quote }}
  automountServiceAccountToken: true
  enableServiceLinks: false
  securityContext:
    {{- include "spark-common.podSecurityContext" $root | nindent 4 }}
  {{- include "spark-common.pullSecrets" $values.image.pullSecrets | nindent 2 }}
  {{- range $key := list "nodeSelector" "tolerations" "affinity" }}
  {{- with get $helpers $key | default (get $values.driver $key) }}
  {{- dict $key . | toYaml | nindent 2 }}
  {{- end }}
  {{- end }}
  {{- with $values.global.priorityClasses.submitter | default $values.driver.priorityClassName | default $values.global.priorityClasses.driver }}
  priorityClassName: {{ quote . }}
  {{- end }}
  {{- with include "spark-common.trustInit" (merge (dict "image" (include "spark-common.image" $root)) $outside) }}
  initContainers:
    {{- . | nindent 4 }}
  {{- end }}
  containers:
    - name: submitter
      image: {{ include "spark-common.image" $root | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args:
        - python3
        - -I
        - -c
        - |
          {{- include "spark-job.loader" . | nindent 10 }}
        - {{ .configMap | quote }}
        # The loader has copied the chart's files to /tmp/kindling: the mounted ones change with the ConfigMap.
        - --deploy-mode
        - cluster
        - --properties-file
        - /tmp/kindling/spark.properties
        - --conf
        - spark.kubernetes.executor.podTemplateFile=/tmp/kindling/executor.yaml
        {{- include "spark-job.applicationArguments" $root | nindent 8 }}
      env:
        - name: POD_NAME
          valueFrom: { fieldRef: { fieldPath: metadata.name } }
        # A JVM that lives for seconds: quick to start, small.
        - name: SPARK_SUBMIT_OPTS
          value: {{ printf "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC %s" $submitter.jvmOptions | trim | replace "$" "$$" | quote }}
        - name: SPARK_LAUNCHER_OPTS
          value: -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
        {{- if include "spark-common.hasLog" $values.log }}
        - name: SPARK_CONF_DIR
          value: /tmp/kindling/conf
        {{- end }}
        {{- if $values.failFast }}
        - name: FAIL_FAST
          value: "1"
        {{- end }}
        {{- include "spark-common.env" $submitter.env | nindent 8 }}
        {{- if $opens }}
        {{- include "spark-job.submitterHadoopEnv" $values.global | nindent 8 }}
        {{- end }}
        {{- include "spark-common.outsideEnv" $outside | nindent 8 }}
      {{- with $submitter.envFrom }}
      envFrom: {{ toYaml . | nindent 8 }}
      {{- end }}
      resources:
        requests:
          cpu: {{ include "spark-common.text" $submitter.requestCores | quote }}
          memory: {{ $submitter.memory | quote }}
        limits:
          memory: {{ $submitter.memory | quote }}
          {{- include "spark-common.helperCpuLimit" (dict "limitCores" ($submitter.limitCores | default $helpers.limitCores)) | nindent 10 }}
      terminationMessagePolicy: FallbackToLogsOnError
      securityContext:
        {{- include "spark-common.containerSecurityContext" $root | nindent 8 }}
      volumeMounts:
        {{- include "spark-common.scratchMounts" $root | nindent 8 }}
        {{- include "spark-common.mounts" (dict "root" $root "role" "submitter") | nindent 8 }}
        {{- include "spark-common.runMount" . | nindent 8 }}
        {{- with $hadoop }}
        {{- include "spark-common.hadoopMounts" . | nindent 8 }}
        {{- end }}
        {{- include "spark-common.outsideMounts" $outside | nindent 8 }}
        {{- include "spark-job.ivyMount" $root | nindent 8 }}
  volumes:
    {{- include "spark-common.scratchVolumes" $root | nindent 4 }}
    {{- include "spark-common.volumes" (dict "root" $root "role" "submitter") | nindent 4 }}
    {{- include "spark-common.runVolume" .configMap | nindent 4 }}
    {{- with $hadoop }}
    {{- include "spark-common.hadoopVolumes" . | nindent 4 }}
    {{- end }}
    {{- include "spark-common.outsideVolumes" $outside | nindent 4 }}
    {{- include "spark-job.ivyVolume" $root | nindent 4 }}
{{- end }}
