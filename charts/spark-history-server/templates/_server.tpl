{{/*
The server's pod.

  spark-history-server.server   YAML with metadata and spec; call with the root
*/}}
{{- define "spark-history-server.server" -}}
{{- include "spark-common.mergePod" (dict "pod" (include "spark-history-server.serverPod" .) "template" .Values.podTemplate "from" "podTemplate" "whose" "server" "given" (keys .Values.env)) -}}
{{- end }}

{{- define "spark-history-server.serverPod" -}}
metadata:
  labels:
    {{- include "spark-common.podLabels" (dict "root" . "component" "server") | nindent 4 }}
    {{- if eq .Values.auth.mode "none" }}
    # By it spark-ui-proxy finds the server.
    spark-role: history-server
    {{- end }}
    {{- with .Values.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "spark-history-server.properties" . | sha256sum }}
    {{- with .Values.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ .Values.global.serviceAccounts.history | quote }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext:
    {{- include "spark-common.podSecurityContext" . | nindent 4 }}
  {{- include "spark-common.pullSecrets" .Values.image.pullSecrets | nindent 2 }}
  {{- include "spark-common.placement" .Values | nindent 2 }}
  {{- with include "spark-history-server.initContainers" . }}
  initContainers:
    {{- . | nindent 4 }}
  {{- end }}
  containers:
    - name: history-server
      image: {{ include "spark-common.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      {{- if eq .Values.auth.mode "jws" }}
      # The key is in no argument, no variable and no ConfigMap: in a file in memory.
      command: [bash, -ec]
      args:
        - |
          umask 077
          cat /opt/kindling/spark.properties >/run/kindling/spark.properties
          printf 'spark.org.apache.spark.ui.JWSFilter.param.secretKey=%s\n' "$(cat /etc/spark-jws/key)" \
            >>/run/kindling/spark.properties
          exec /opt/entrypoint.sh /opt/spark/bin/spark-class org.apache.spark.deploy.history.HistoryServer \
            --properties-file /run/kindling/spark.properties
      {{- else }}
      args:
        - /opt/spark/bin/spark-class
        - org.apache.spark.deploy.history.HistoryServer
        - --properties-file
        - /opt/kindling/spark.properties
      {{- end }}
      env:
        - name: SPARK_DAEMON_MEMORY
          value: {{ include "spark-history-server.heap" . }}m
        - name: SPARK_HISTORY_OPTS
          value: -XX:+ExitOnOutOfMemoryError
        {{- if eq .Values.auth.mode "proxy" }}
        # Nobody gets past the proxy.
        - name: SPARK_LOCAL_IP
          value: 127.0.0.1
        {{- end }}
        {{- include "spark-common.eventLogEnv" .Values.global.eventLog | nindent 8 }}
        {{- include "spark-history-server.hadoopEnv" . | nindent 8 }}
        {{- include "spark-common.env" .Values.env | nindent 8 }}
      {{- if ne .Values.auth.mode "proxy" }}
      ports:
        - { name: history-ui, containerPort: {{ include "spark-common.port" "history" }} }
      {{- end }}
      resources:
        requests:
          cpu: {{ include "spark-common.text" .Values.requestCores | quote }}
          memory: {{ include "spark-common.mebibytes" .Values.memory }}Mi
        limits:
          {{- with .Values.limitCores }}
          cpu: {{ include "spark-common.text" . | quote }}
          {{- end }}
          memory: {{ include "spark-common.mebibytes" .Values.memory }}Mi
      # From within: the kubelet has no token, and may not be let in at all. Any answer but an error of the server counts.
      startupProbe:
        {{- include "spark-history-server.answers" . | nindent 8 }}
        periodSeconds: 5
        failureThreshold: 120
      readinessProbe:
        {{- include "spark-history-server.answers" . | nindent 8 }}
        periodSeconds: 10
      livenessProbe:
        {{- include "spark-history-server.answers" . | nindent 8 }}
        periodSeconds: 30
        failureThreshold: 6
      terminationMessagePolicy: FallbackToLogsOnError
      securityContext:
        {{- include "spark-common.containerSecurityContext" . | nindent 8 }}
      volumeMounts:
        {{- include "spark-common.scratchMounts" . | nindent 8 }}
        {{- include "spark-history-server.configMount" . | nindent 8 }}
        - name: state
          mountPath: /var/spark/history
        {{- if eq .Values.auth.mode "jws" }}
        - name: jws
          mountPath: /etc/spark-jws
          readOnly: true
        - name: properties
          mountPath: /run/kindling
        {{- end }}
        {{- include "spark-common.eventLogMounts" .Values.global.eventLog | nindent 8 }}
        {{- include "spark-common.hadoopMounts" (include "spark-history-server.hadoop" . | fromJson) | nindent 8 }}
        {{- include "spark-common.outsideMounts" (include "spark-history-server.outside" . | fromJson) | nindent 8 }}
    {{- include "spark-common.containers" (dict "list" .Values.sidecars) | nindent 4 }}
  volumes:
    {{- include "spark-common.scratchVolumes" . | nindent 4 }}
    {{- include "spark-history-server.configVolume" . | nindent 4 }}
    - name: state
      {{- if .Values.state.claim }}
      persistentVolumeClaim:
        claimName: {{ .Release.Name }}-state
      {{- else }}
      emptyDir:
        sizeLimit: {{ .Values.state.size }}
      {{- end }}
    {{- if eq .Values.auth.mode "jws" }}
    - name: jws
      {{- include "spark-history-server.jwsSecret" . | nindent 6 }}
    - name: properties
      emptyDir:
        medium: Memory
        sizeLimit: 1Mi
    {{- end }}
    {{- include "spark-common.eventLogVolumes" .Values.global.eventLog | nindent 4 }}
    {{- include "spark-common.hadoopVolumes" (include "spark-history-server.hadoop" . | fromJson) | nindent 4 }}
    {{- include "spark-common.outsideVolumes" (include "spark-history-server.outside" . | fromJson) | nindent 4 }}
{{- end }}
