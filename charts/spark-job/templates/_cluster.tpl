{{/*
Cluster mode: the Job's pod submits a driver of its own and follows it. Call both with a dict: root, name (the ConfigMap's).

  spark-job.submitterPod     the Job's pod
  spark-job.driverTemplate   the driver's pod template; files/submit.py adds its owner, the Job
*/}}

{{- define "spark-job.driverTemplate" -}}
{{- $pod := include "spark-job.pod" (dict "root" .root "role" "driver" "configMap" .name) | fromYaml -}}
{{- $_ := set $pod "apiVersion" "v1" -}}
{{- $_ := set $pod "kind" "Pod" -}}
{{- with .root.Values.deadlineSeconds -}}
{{- /* The submitter ends the driver at the deadline; this holds where it is not there to do it. */ -}}
{{- $_ := set $pod.spec "activeDeadlineSeconds" (int64 .) -}}
{{- end -}}
{{- toYaml $pod -}}
{{- end }}

{{- define "spark-job.submitterPod" -}}
{{- $root := .root -}}
{{- with .root.Values -}}
metadata:
  labels:
    {{- include "spark-common.podLabels" (dict "root" $root "component" "submitter") | nindent 4 }}
spec:
  restartPolicy: Never
  serviceAccountName: {{ .global.serviceAccounts.submitter | quote }}
  automountServiceAccountToken: true
  enableServiceLinks: false
  securityContext:
    {{- include "spark-common.podSecurityContext" $root | nindent 4 }}
  {{- include "spark-common.pullSecrets" $root.Values.image.pullSecrets | nindent 2 }}
  {{- range $key := list "nodeSelector" "tolerations" "affinity" }}
  {{- with get $root.Values.driver $key }}
  {{- dict $key . | toYaml | nindent 2 }}
  {{- end }}
  {{- end }}
  {{- with .global.priorityClasses.submitter | default (include "spark-job.priorityClass" (dict "root" $root "role" "driver")) }}
  priorityClassName: {{ quote . }}
  {{- end }}
  containers:
    - name: submitter
      image: {{ include "spark-common.image" $root | quote }}
      imagePullPolicy: {{ .image.pullPolicy }}
      args:
        - python3
        - /opt/kindling/submit.py
        - --deploy-mode
        - cluster
        - --properties-file
        - /opt/kindling/spark.properties
        {{- include "spark-job.applicationArguments" $root | nindent 8 }}
      env:
        - name: POD_NAME
          valueFrom: { fieldRef: { fieldPath: metadata.name } }
        # A JVM that lives for seconds: quick to start, small.
        - name: SPARK_SUBMIT_OPTS
          value: -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
        - name: SPARK_LAUNCHER_OPTS
          value: -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
        {{- if include "spark-job.hasLog" $root }}
        {{- include "spark-job.logEnv" . | nindent 8 }}
        {{- end }}
        {{- if .failFast }}
        - name: FAIL_FAST
          value: "1"
        {{- end }}
      resources:
        requests:
          cpu: {{ include "spark-common.text" .submitter.requestCores | quote }}
          memory: {{ .submitter.memory | quote }}
        limits:
          memory: {{ .submitter.memory | quote }}
      terminationMessagePolicy: FallbackToLogsOnError
      securityContext:
        {{- include "spark-common.containerSecurityContext" $root | nindent 8 }}
      volumeMounts:
        {{- include "spark-common.scratchMounts" $root | nindent 8 }}
        - name: kindling
          mountPath: /opt/kindling
          readOnly: true
        {{- if include "spark-job.hasLog" $root }}
        {{- include "spark-job.logMount" . | nindent 8 }}
        {{- end }}
  volumes:
    {{- include "spark-common.scratchVolumes" $root | nindent 4 }}
    - name: kindling
      configMap:
        name: {{ with $.name }}{{ quote . }}{{ end }}
    {{- if include "spark-job.hasLog" $root }}
    {{- include "spark-job.logVolume" $.name | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}
