{{/*
spark-standalone.master: the master's pod, YAML with metadata and spec; call with the root
*/}}
{{- define "spark-standalone.master" -}}
{{- include "spark-standalone.merged" (dict "root" . "role" "master" "pod" (include "spark-standalone.masterPod" .) "given" list) -}}
{{- end }}

{{- define "spark-standalone.masterPod" -}}
metadata:
  labels:
    {{- include "spark-common.podLabels" (dict "root" . "component" "master") | nindent 4 }}
    {{- if include "spark-standalone.uiPath" . }}
    # As an application, whose id is the release's name, spark-ui-proxy finds it.
    spark-role: driver
    spark-app-selector: {{ .Release.Name | quote }}
    {{- end }}
  annotations:
    checksum/config: {{ include "spark-standalone.clusterFiles" . | sha256sum }}
spec:
  serviceAccountName: {{ .Values.global.serviceAccounts.executor | quote }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext:
    {{- include "spark-common.podSecurityContext" . | nindent 4 }}
  {{- include "spark-common.pullSecrets" .Values.image.pullSecrets | nindent 2 }}
  containers:
    - name: master
      image: {{ include "spark-common.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - /opt/spark/bin/spark-class
        - org.apache.spark.deploy.master.Master
        - --port
        - {{ include "spark-common.port" "master" | quote }}
        - --webui-port
        - {{ include "spark-common.port" "masterUi" | quote }}
      env:
        - name: SPARK_DAEMON_MEMORY
          value: {{ include "spark-standalone.heap" . }}m
        - name: SPARK_DAEMON_JAVA_OPTS
          value: -XX:+ExitOnOutOfMemoryError
        {{- with include "spark-standalone.uiPath" . }}
        # Not spark.ui.reverseProxyUrl, which takes no path with "proxy" in it.
        - name: SPARK_MASTER_OPTS
          value: -Dspark.ui.proxyBase={{ . }}
        {{- end }}
      ports:
        - { name: master, containerPort: {{ include "spark-common.port" "master" }} }
        - { name: spark-ui, containerPort: {{ include "spark-common.port" "masterUi" }} }
      resources:
        {{- include "spark-standalone.resources" (dict "values" .Values.master "memory" (include "spark-common.mebibytes" .Values.master.memory)) | nindent 8 }}
      startupProbe:
        {{- include "spark-common.answers" (dict "port" "masterUi" "path" "/json/") | nindent 8 }}
        periodSeconds: 3
        failureThreshold: 100
      readinessProbe:
        {{- include "spark-common.answers" (dict "port" "masterUi" "path" "/json/") | nindent 8 }}
        periodSeconds: 10
      livenessProbe:
        {{- include "spark-common.answers" (dict "port" "masterUi" "path" "/json/") | nindent 8 }}
        periodSeconds: 30
        failureThreshold: 6
      terminationMessagePolicy: FallbackToLogsOnError
      securityContext:
        {{- include "spark-common.containerSecurityContext" . | nindent 8 }}
      volumeMounts:
        {{- include "spark-standalone.commonMounts" (dict "root" . "files" (include "spark-standalone.clusterFiles" . | fromYaml | keys | sortAlpha)) | nindent 8 }}
        - name: recovery
          mountPath: /var/spark/recovery
  volumes:
    {{- include "spark-standalone.commonVolumes" (dict "root" . "configMap" .Release.Name) | nindent 4 }}
    - name: recovery
      {{- if .Values.master.recovery.claim }}
      persistentVolumeClaim:
        claimName: {{ .Release.Name }}-recovery
      {{- else }}
      emptyDir: {}
      {{- end }}
{{- end }}
