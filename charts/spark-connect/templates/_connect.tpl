{{/*
The server's pod: Spark's Connect server, which is a driver, and nginx before it.

  spark-connect.pod          YAML with metadata and spec; call with the root
  spark-connect.tlsVolume    the Secret with the certificate as a volume, in a list, or nothing; call with a dict: root, keys
  spark-connect.tlsImage     reference of nginx's image; call with the root
*/}}

{{- define "spark-connect.pod" -}}
{{- include "spark-common.mergeRole" (dict "root" . "role" "driver" "pod" (include "spark-connect.ownPod" .)) -}}
{{- end }}

{{- define "spark-connect.tlsImage" -}}
{{- $values := dict "image" .Values.tls.image "global" .Values.global -}}
{{- include "spark-common.imageReference" (dict "root" (dict "Values" $values "Chart" .Chart) "tag" .Chart.Version) -}}
{{- end }}

{{- define "spark-connect.ownPod" -}}
{{- $values := .Values -}}
{{- $driver := .Values.driver -}}
{{- $port := include "spark-common.port" "connect" -}}
{{- $isTls := eq .Values.listen "tls" -}}
{{- /* The log's configuration stands in the folder that the program makes. */ -}}
{{- $own := dict "root" . "configMap" .Release.Name -}}
metadata:
  labels:
    {{- include "spark-common.podLabels" (dict "root" . "component" "driver") | nindent 4 }}
    {{- if $values.global.isolateApplications }}
    # spark-namespace opens applications to each other but for these.
    kindling.local/isolated: "true"
    {{- end }}
    spark-role: driver
    {{- with $driver.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "spark-connect.data" . | sha256sum }}
    {{- with $driver.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "spark-common.driverAccount" . | quote }}
  automountServiceAccountToken: true
  {{- include "spark-common.rolePlace" (dict "root" . "role" "driver") | nindent 2 }}
  initContainers:
    {{- include "spark-common.roleInit" (dict "root" . "role" "driver" "outside" (dict "global" $values.global "opensS3" true "eventLog" $values.global.eventLog)) | nindent 4 }}
  containers:
    - name: driver
      image: {{ include "spark-common.image" . | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      # tini takes in what the server leaves behind: Python of its sessions.
      args: [tini, -s, --, python3, /opt/kindling/start.py]
      ports:
        {{- if not $isTls }}
        - { name: connect, containerPort: {{ $port }} }
        {{- end }}
        {{- include "spark-common.driverPorts" . | nindent 8 }}
      startupProbe:
        # Ten minutes, for a node that is busy.
        exec: &answers
          command: [python3, -I, -S, /opt/kindling/answers.py, {{ $port | quote }}]
        periodSeconds: 5
        timeoutSeconds: 10
        failureThreshold: 120
      readinessProbe:
        exec: *answers
        periodSeconds: 10
        timeoutSeconds: 10
      livenessProbe:
        # A restart ends all sessions: only of a server that has been silent for minutes.
        exec: *answers
        periodSeconds: 30
        timeoutSeconds: 10
        failureThreshold: 10
      resources:
        {{- include "spark-common.driverResources" (dict "root" . "memory" (include "spark-common.containerMemory" (dict "root" . "role" "driver" "factor" "0.4"))) | nindent 8 }}
      env:
        {{- include "spark-common.driverSelf" . | nindent 8 }}
        - name: HOME
          value: /tmp
        - name: SPARK_CONF_DIR
          value: /tmp/spark-conf
        {{- with include "spark-common.localDirs" . }}
        - name: SPARK_LOCAL_DIRS
          value: {{ . | quote }}
        {{- end }}
        {{- include "spark-common.driverEnv" (merge (dict "env" $driver.env) $own) | nindent 8 }}
      {{- with $driver.envFrom }}
      envFrom: {{ toYaml . | nindent 8 }}
      {{- end }}
      terminationMessagePolicy: FallbackToLogsOnError
      securityContext:
        {{- include "spark-common.containerSecurityContext" . | nindent 8 }}
      volumeMounts:
        {{- with $values.login.secret.name }}
        - { name: login, mountPath: /etc/connect-login, readOnly: true }
        {{- end }}
        {{- include "spark-common.driverMounts" $own | nindent 8 }}
    {{- if $isTls }}
    - name: tls
      image: {{ include "spark-connect.tlsImage" . | quote }}
      imagePullPolicy: {{ $values.tls.image.pullPolicy }}
      command: [sh, /opt/kindling/tls.sh, {{ $port | quote }}]
      ports:
        - { name: connect, containerPort: {{ $port }} }
      readinessProbe:
        # Through to Spark's server: the certificate is there, and can be read.
        exec:
          command: [python3, -I, -S, /opt/kindling/answers.py, {{ $port | quote }}, tls]
        periodSeconds: 10
        timeoutSeconds: 10
      livenessProbe:
        tcpSocket: { port: connect }
        periodSeconds: 30
        failureThreshold: 10
      resources:
        requests: { cpu: 10m, memory: 48Mi }
        limits:
          memory: 128Mi
          {{- include "spark-common.helperCpuLimit" $values.global.helpers | nindent 10 }}
      env:
        - name: POD_IP
          valueFrom: { fieldRef: { fieldPath: status.podIP } }
      terminationMessagePolicy: FallbackToLogsOnError
      securityContext:
        {{- include "spark-common.containerSecurityContext" . | nindent 8 }}
      volumeMounts:
        - { name: tls-tmp, mountPath: /tmp }
        - { name: tls, mountPath: /etc/connect-tls, readOnly: true }
        {{- include "spark-common.runMount" . | nindent 8 }}
    {{- end }}
  volumes:
    {{- if $isTls }}
    - name: tls-tmp
      emptyDir: {}
    {{- end }}
    {{- include "spark-connect.tlsVolume" (dict "root" . "keys" (list "tls.crt" "tls.key")) | nindent 4 }}
    {{- include "spark-common.tokenVolume" .Values.login.secret | nindent 4 }}
    {{- include "spark-common.driverVolumes" $own | nindent 4 }}
{{- end }}

{{- define "spark-connect.tlsVolume" -}}
{{- if eq .root.Values.listen "tls" }}
- name: tls
  secret:
    secretName: {{ .root.Values.tls.secretName | quote }}
    # 0440: the pod's fsGroup reads it.
    defaultMode: 288
    items:
      {{- range .keys }}
      - { key: {{ . }}, path: {{ . }} }
      {{- end }}
{{- end }}
{{- end }}
