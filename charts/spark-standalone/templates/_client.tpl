{{/*
A driver's pod, which those who submit make, and "helm test". Call with the root.

  spark-standalone.clientJob     a Job of it, a manifest; its args are those of spark-submit
  spark-standalone.client        the pod, YAML with metadata and spec
  spark-standalone.clientLabels  by which the cluster lets in a pod of the namespace, and spark-ui-proxy finds it
*/}}

{{- define "spark-standalone.clientLabels" -}}
spark-role: driver
kindling.local/standalone: {{ .Release.Name | quote }}
{{- end }}

{{- define "spark-standalone.clientJob" -}}
apiVersion: batch/v1
kind: Job
metadata:
  generateName: {{ .Release.Name }}-
  namespace: {{ .Release.Namespace | quote }}
  labels:
    {{- include "spark-standalone.clientLabels" . | nindent 4 }}
spec:
  backoffLimit: 0
  template:
    {{- include "spark-standalone.client" . | nindent 4 }}
{{ end }}

{{- define "spark-standalone.client" -}}
{{- $given := include "spark-common.names" .Values.volumes | fromJsonArray -}}
{{- include "spark-standalone.merged" (dict "root" . "role" "client" "pod" (include "spark-standalone.clientPod" .) "given" $given) -}}
{{- end }}

{{- define "spark-standalone.clientPod" -}}
{{- $outside := include "spark-standalone.outside" (dict "root" . "isDriver" true) | fromJson -}}
metadata:
  labels:
    {{- include "spark-standalone.clientLabels" . | nindent 4 }}
spec:
  restartPolicy: Never
  serviceAccountName: {{ .Values.global.serviceAccounts.executor | quote }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext:
    {{- include "spark-common.podSecurityContext" . | nindent 4 }}
  {{- include "spark-common.pullSecrets" .Values.image.pullSecrets | nindent 2 }}
  {{- with include "spark-common.trustInit" (merge (dict "image" (include "spark-common.image" .)) $outside) }}
  initContainers:
    {{- . | nindent 4 }}
  {{- end }}
  containers:
    - name: driver
      image: {{ include "spark-common.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      command: [tini, -s, --, /opt/entrypoint.sh, /opt/spark/bin/spark-submit]
      args: [/opt/spark/conf/check.py]
      {{- with printf "%s%s" (include "spark-common.eventLogEnv" .Values.global.eventLog) (include "spark-common.outsideEnv" $outside) }}
      env:
        {{- . | nindent 8 }}
      {{- end }}
      ports:
        - { name: spark-ui, containerPort: {{ include "spark-common.port" "ui" }} }
      resources:
        {{- include "spark-standalone.resources" (dict "values" .Values.client "memory" (include "spark-standalone.clientMemory" .)) | nindent 8 }}
      terminationMessagePolicy: FallbackToLogsOnError
      securityContext:
        {{- include "spark-common.containerSecurityContext" . | nindent 8 }}
      volumeMounts:
        {{- include "spark-standalone.commonMounts" (dict "root" . "files" (list "check.py" "spark-defaults.conf" "spark-env.sh")) | nindent 8 }}
        - name: programs
          mountPath: /opt/kindling
          readOnly: true
        {{- include "spark-common.eventLogMounts" .Values.global.eventLog | nindent 8 }}
        {{- include "spark-common.outsideMounts" $outside | nindent 8 }}
        {{- include "spark-standalone.mounts" . | nindent 8 }}
  volumes:
    {{- include "spark-standalone.commonVolumes" (dict "root" . "configMap" (printf "%s-client" .Release.Name)) | nindent 4 }}
    # Programs that are in no image and on no volume: whoever submits makes it.
    - name: programs
      configMap:
        name: {{ .Release.Name }}-programs
        optional: true
    {{- include "spark-common.eventLogVolumes" .Values.global.eventLog | nindent 4 }}
    {{- include "spark-common.outsideVolumes" $outside | nindent 4 }}
    {{- include "spark-standalone.volumes" . | nindent 4 }}
{{- end }}
