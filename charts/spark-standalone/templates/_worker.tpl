{{/*
spark-standalone.worker: a worker's pod, YAML with metadata and spec; call with the root. Its executors are processes in its
container, with its variables, its user and its volumes.
*/}}
{{- define "spark-standalone.worker" -}}
{{- $given := include "spark-common.names" .Values.volumes | fromJsonArray -}}
{{- include "spark-standalone.merged" (dict "root" . "role" "worker" "pod" (include "spark-standalone.workerPod" .) "given" (append $given "scratch")) -}}
{{- end }}

{{- define "spark-standalone.workerPod" -}}
{{- $outside := include "spark-standalone.outside" (dict "root" . "isDriver" false) | fromJson -}}
metadata:
  labels:
    {{- include "spark-common.podLabels" (dict "root" . "component" "worker") | nindent 4 }}
  annotations:
    checksum/config: {{ include "spark-standalone.clusterFiles" . | sha256sum }}
spec:
  serviceAccountName: {{ .Values.global.serviceAccounts.executor | quote }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.worker.gracePeriodSeconds }}
  securityContext:
    {{- include "spark-common.podSecurityContext" . | nindent 4 }}
  {{- include "spark-common.pullSecrets" .Values.image.pullSecrets | nindent 2 }}
  {{- with include "spark-common.trustInit" (merge (dict "image" (include "spark-common.image" .)) $outside) }}
  initContainers:
    {{- . | nindent 4 }}
  {{- end }}
  containers:
    - name: worker
      image: {{ include "spark-common.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        # Executors leave processes of Python behind, which somebody must reap.
        - tini
        - -s
        - --
        - /opt/spark/bin/spark-class
        - org.apache.spark.deploy.worker.Worker
        - --port
        - {{ include "spark-common.port" "worker" | quote }}
        - --webui-port
        - {{ include "spark-common.port" "workerUi" | quote }}
        - --cores
        - {{ .Values.worker.cores | quote }}
        - --memory
        - {{ include "spark-standalone.offered" . }}m
        - --work-dir
        - /var/spark/scratch/work
        - {{ include "spark-standalone.masterUrl" . }}
      env:
        - name: SPARK_DAEMON_MEMORY
          value: 256m
        - name: SPARK_DAEMON_JAVA_OPTS
          value: -XX:+ExitOnOutOfMemoryError
        {{- with include "spark-standalone.uiPath" . }}
        - name: SPARK_WORKER_OPTS
          value: -Dspark.ui.reverseProxyUrl={{ . }}
        {{- end }}
        - name: SPARK_LOCAL_DIRS
          value: /var/spark/scratch
        {{- include "spark-common.outsideEnv" $outside | nindent 8 }}
      ports:
        - { name: worker, containerPort: {{ include "spark-common.port" "worker" }} }
        - { name: ui, containerPort: {{ include "spark-common.port" "workerUi" }} }
      resources:
        {{- include "spark-standalone.resources" (dict "values" .Values.worker "memory" (include "spark-common.mebibytes" .Values.worker.memory)) | nindent 8 }}
      lifecycle:
        preStop:
          exec:
            command: [bash, /opt/spark/conf/decommission.sh]
      startupProbe:
        {{- include "spark-common.answers" (dict "port" "workerUi" "path" "/json/") | nindent 8 }}
        periodSeconds: 3
        failureThreshold: 100
      readinessProbe:
        {{- include "spark-common.answers" (dict "port" "workerUi" "path" "/json/") | nindent 8 }}
        periodSeconds: 10
      livenessProbe:
        {{- include "spark-common.answers" (dict "port" "workerUi" "path" "/json/") | nindent 8 }}
        periodSeconds: 30
        failureThreshold: 6
      terminationMessagePolicy: FallbackToLogsOnError
      securityContext:
        {{- include "spark-common.containerSecurityContext" . | nindent 8 }}
      volumeMounts:
        {{- include "spark-standalone.commonMounts" (dict "root" . "files" (include "spark-standalone.clusterFiles" . | fromYaml | keys | sortAlpha)) | nindent 8 }}
        - name: scratch
          mountPath: /var/spark/scratch
        {{- include "spark-common.outsideMounts" $outside | nindent 8 }}
        {{- include "spark-standalone.mounts" . | nindent 8 }}
  volumes:
    {{- include "spark-standalone.commonVolumes" (dict "root" . "configMap" .Release.Name) | nindent 4 }}
    - name: scratch
      emptyDir: {}
    {{- include "spark-common.outsideVolumes" $outside | nindent 4 }}
    {{- include "spark-standalone.volumes" . | nindent 4 }}
{{- end }}
