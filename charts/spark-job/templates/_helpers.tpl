{{/*
The parts of a run. Each is called with the root unless said otherwise.

  spark-job.name          <release>-<hash of what runs>: same values, same name, no new run; other values, a new one
  spark-job.isPython      "true" if the application is Python
  spark-job.data          what the ConfigMap holds: Spark's configuration, the executors' pod template, the source
  spark-job.podTemplate   the driver's pod; call with a dict: root, name (the ConfigMap's)
  spark-job.memory        memory of a container in MiB; call with a dict: root, role ("driver" or "executor")
  spark-job.conf          one setting of sparkConf or global.sparkConf, or nothing; call with a dict: root, key
  spark-job.cores         CPU to ask of the cluster; call with .Values.driver or .Values.executor
*/}}

{{- define "spark-job.name" -}}
{{- $run := printf "%s\n%s\n%s" .Values.run.id (include "spark-job.data" .) (include "spark-job.podTemplate" (dict "root" . "name" "")) -}}
{{- printf "%s-%s" .Release.Name (sha256sum $run | trunc 8) -}}
{{- end }}

{{- define "spark-job.isPython" -}}
{{- if or .Values.app.source (and (not .Values.app.mainClass) (hasSuffix ".py" .Values.app.file)) -}}
true
{{- end -}}
{{- end }}

{{- define "spark-job.cores" -}}
{{- .requestCores | default (.cores | toString) -}}
{{- end }}

{{/* Spark's own rule: a tenth on top, two fifths where Python runs beside the JVM, 384 MiB at least. */}}
{{- define "spark-job.memory" -}}
{{- $heap := include "spark-common.mebibytes" (get .root.Values .role).memory | int -}}
{{- $factor := include "spark-job.conf" (dict "root" .root "key" (printf "spark.%s.memoryOverheadFactor" .role)) | default (include "spark-job.overheadFactor" .root) | float64 -}}
{{- $overhead := max 384 (mulf $heap $factor | int) -}}
{{- with include "spark-job.conf" (dict "root" .root "key" (printf "spark.%s.memoryOverhead" .role)) -}}
{{- $overhead = include "spark-common.mebibytes" . | int -}}
{{- end -}}
{{- add $heap $overhead -}}
{{- end }}

{{- define "spark-job.conf" -}}
{{- $conf := hasKey .root.Values.sparkConf .key | ternary .root.Values.sparkConf .root.Values.global.sparkConf -}}
{{- if hasKey $conf .key -}}{{ include "spark-common.text" (get $conf .key) }}{{- end -}}
{{- end }}

{{- define "spark-job.overheadFactor" -}}
{{- eq (include "spark-job.isPython" .) "true" | ternary "0.4" "0.1" -}}
{{- end }}

{{- define "spark-job.properties" -}}
{{- $values := .Values -}}
{{- $own := dict
  "spark.master" "k8s://https://kubernetes.default.svc"
  "spark.app.name" .Release.Name
  "spark.kubernetes.namespace" .Release.Namespace
  "spark.kubernetes.container.image" (include "spark-common.image" .)
  "spark.kubernetes.container.image.pullPolicy" $values.image.pullPolicy
  "spark.kubernetes.authenticate.executor.serviceAccountName" $values.global.serviceAccounts.executor
  "spark.kubernetes.executor.podTemplateFile" "/opt/kindling/executor.yaml"
  "spark.kubernetes.executor.podTemplateContainerName" "executor"
  "spark.driver.port" "7078"
  "spark.driver.blockManager.port" "7079"
  "spark.blockManager.port" "7079"
  "spark.driver.memory" $values.driver.memory
  "spark.driver.cores" $values.driver.cores
  "spark.executor.instances" $values.executor.instances
  "spark.executor.cores" $values.executor.cores
  "spark.executor.memory" $values.executor.memory
  "spark.kubernetes.executor.request.cores" (include "spark-job.cores" $values.executor)
-}}
{{- with $values.executor.limitCores -}}
{{- $_ := set $own "spark.kubernetes.executor.limit.cores" . -}}
{{- end -}}
{{- range $name, $value := $values.executor.env -}}
{{- $_ := set $own (printf "spark.executorEnv.%s" $name) $value -}}
{{- end -}}
{{- $defaults := dict "spark.jars.ivy" "/tmp/.ivy2" "spark.executor.memoryOverheadFactor" (include "spark-job.overheadFactor" .) -}}
{{- include "spark-common.properties" (list $defaults $values.global.sparkConf $values.sparkConf $own) -}}
{{- end }}

{{- define "spark-job.claimVolumes" -}}
{{- range .Values.claims }}
- name: {{ .name | quote }}
  persistentVolumeClaim:
    claimName: {{ .claimName | quote }}
    readOnly: {{ .readOnly | default false }}
{{- end }}
{{- end }}

{{- define "spark-job.claimMounts" -}}
{{- range .Values.claims }}
- name: {{ .name | quote }}
  mountPath: {{ .mountPath | quote }}
  readOnly: {{ .readOnly | default false }}
{{- end }}
{{- end }}

{{- define "spark-job.data" -}}
spark.properties: |
  {{- include "spark-job.properties" . | trim | nindent 2 }}
executor.yaml: |
  apiVersion: v1
  kind: Pod
  metadata:
    labels:
      {{- include "spark-common.podLabels" (dict "root" . "component" "executor") | nindent 6 }}
  spec:
    automountServiceAccountToken: false
    enableServiceLinks: false
    securityContext:
      {{- include "spark-common.podSecurityContext" . | nindent 6 }}
    containers:
      - name: executor
        securityContext:
          {{- include "spark-common.containerSecurityContext" . | nindent 10 }}
        volumeMounts:
          {{- include "spark-common.scratchMounts" . | nindent 10 }}
          {{- with include "spark-job.claimMounts" . }}
          {{- . | trim | nindent 10 }}
          {{- end }}
    volumes:
      {{- include "spark-common.scratchVolumes" . | nindent 6 }}
      {{- with include "spark-job.claimVolumes" . }}
      {{- . | trim | nindent 6 }}
      {{- end }}
{{- with .Values.app.source }}
app.py: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "spark-job.podTemplate" -}}
{{- $root := .root -}}
{{- with .root.Values -}}
metadata:
  labels:
    spark-role: driver
    {{- include "spark-common.podLabels" (dict "root" $root "component" "driver") | nindent 4 }}
spec:
  restartPolicy: Never
  serviceAccountName: {{ .global.serviceAccounts.driver }}
  automountServiceAccountToken: true
  enableServiceLinks: false
  securityContext:
    {{- include "spark-common.podSecurityContext" $root | nindent 4 }}
  containers:
    - name: driver
      image: {{ include "spark-common.image" $root }}
      imagePullPolicy: {{ .image.pullPolicy }}
      args:
        - driver
        - --properties-file
        - /opt/kindling/spark.properties
        # What only the pod itself knows. Never static: two runs at once must not meet.
        - --conf
        - spark.driver.host=$(POD_IP)
        - --conf
        - spark.app.id=spark-$(POD_UID)
        - --conf
        - spark.kubernetes.driver.pod.name=$(POD_NAME)
        - --conf
        - spark.kubernetes.executor.podNamePrefix=$(POD_NAME)
        {{- with .app.mainClass }}
        - --class
        - {{ . | quote }}
        {{- end }}
        - {{ .app.file | default "local:///opt/kindling/app.py" | replace "$(" "$$(" | quote }}
        {{- range .app.args }}
        - {{ include "spark-common.text" . | replace "$(" "$$(" | quote }}
        {{- end }}
      env:
        - name: POD_NAME
          valueFrom: { fieldRef: { fieldPath: metadata.name } }
        - name: POD_UID
          valueFrom: { fieldRef: { fieldPath: metadata.uid } }
        - name: POD_IP
          valueFrom: { fieldRef: { fieldPath: status.podIP } }
        - name: SPARK_DRIVER_BIND_ADDRESS
          value: $(POD_IP)
        {{- range $name, $value := .driver.env }}
        - name: {{ $name }}
          value: {{ include "spark-common.text" $value | replace "$(" "$$(" | quote }}
        {{- end }}
      ports:
        - { name: driver-rpc, containerPort: 7078 }
        - { name: blockmanager, containerPort: 7079 }
        - { name: ui, containerPort: 4040 }
      resources:
        requests:
          cpu: {{ include "spark-job.cores" .driver | quote }}
          memory: {{ include "spark-job.memory" (dict "root" $root "role" "driver") }}Mi
        limits:
          {{- with .driver.limitCores }}
          cpu: {{ . | quote }}
          {{- end }}
          memory: {{ include "spark-job.memory" (dict "root" $root "role" "driver") }}Mi
      # The last lines of a failed driver stand in the container's status.
      terminationMessagePolicy: FallbackToLogsOnError
      securityContext:
        {{- include "spark-common.containerSecurityContext" $root | nindent 8 }}
      volumeMounts:
        - name: kindling
          mountPath: /opt/kindling
          readOnly: true
        {{- include "spark-common.scratchMounts" $root | nindent 8 }}
        {{- with include "spark-job.claimMounts" $root }}
        {{- . | trim | nindent 8 }}
        {{- end }}
  volumes:
    - name: kindling
      configMap:
        name: {{ $.name }}
    {{- include "spark-common.scratchVolumes" $root | nindent 4 }}
    {{- with include "spark-job.claimVolumes" $root }}
    {{- . | trim | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}
