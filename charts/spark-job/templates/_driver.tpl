{{/*
The driver's pod. In client mode it is the Job's own pod and starts Spark itself. In cluster mode it is a pod template:
spark-submit adds name, service account, image, command, ports and resources, and files/submit.py its owner, the Job.

  spark-job.driver   YAML with metadata and spec; call with a dict: root, configMap (its name; empty while
                     spark-job.hash asks)
*/}}
{{- define "spark-job.driver" -}}
{{- /* Spark adds its configuration to cluster mode's, a ConfigMap of what the submitter has there. */ -}}
{{- $configuration := dict "name" "spark-conf-volume-driver" "mountPath" "/opt/spark/conf" "sealed" "with mode: cluster give the volume roles: [submitter], whose files there Spark brings to the driver" -}}
{{- $others := eq .root.Values.mode "cluster" | ternary (list $configuration) list -}}
{{- include "spark-common.mergeRole" (dict "root" .root "role" "driver" "pod" (include "spark-job.driverPod" .) "others" $others) -}}
{{- end }}

{{- define "spark-job.driverPod" -}}
{{- $root := .root -}}
{{- $values := .root.Values -}}
{{- $driver := .root.Values.driver -}}
{{- $outside := dict "global" $values.global "opensS3" true "eventLog" $values.global.eventLog -}}
{{- /* In cluster mode the driver has its configuration folder from Spark, out of that of the submitter. */ -}}
{{- $own := dict "root" $root "configMap" .configMap "ownLog" (and (eq $values.mode "client") (include "spark-common.hasLog" $values.log)) -}}
metadata:
  labels:
    {{- include "spark-common.podLabels" (dict "root" $root "component" "driver") | nindent 4 }}
    {{- if $values.global.isolateApplications }}
    # spark-namespace opens applications to each other but for these.
    kindling.local/isolated: "true"
    {{- end }}
    {{- if eq $values.mode "client" }}
    spark-role: driver
    {{- end }}
    {{- with $driver.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- if and $values.metrics.enabled $values.metrics.annotations }}
    prometheus.io/scrape: "true"
    prometheus.io/port: {{ include "spark-common.port" "ui" | quote }}
    prometheus.io/path: /metrics/executors/prometheus/
    {{- end }}
    {{- with $driver.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- if eq $values.mode "client" }}
  restartPolicy: Never
  serviceAccountName: {{ include "spark-common.driverAccount" $root | quote }}
  {{- else if $values.deadlineSeconds }}
  # The submitter ends the driver at the deadline; this holds where it is not there to do it.
  activeDeadlineSeconds: {{ int64 $values.deadlineSeconds }}
  {{- end }}
  automountServiceAccountToken: true
  {{- include "spark-common.rolePlace" (dict "root" $root "role" "driver") | nindent 2 }}
  initContainers:
    {{- include "spark-job.sweeper" $root | nindent 4 }}
    {{- include "spark-common.roleInit" (dict "root" $root "role" "driver" "outside" $outside) | nindent 4 }}
  containers:
    - name: driver
      {{- if eq $values.mode "client" }}
      image: {{ include "spark-common.roleImage" (dict "root" $root "role" "driver") | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args:
        - python3
        - /opt/kindling/drive.py
        - /opt/entrypoint.sh
        - driver
        - --properties-file
        - /opt/kindling/spark.properties
        # What only the pod itself knows. Never static: two runs at once must not meet.
        - --conf
        - spark.driver.host=$(POD_IP)
        - --conf
        {{- /* Spark's local scheduler heeds no spark.app.id, and nobody is told one that it has not; that of Spark 3 says local-…. */}}
        - {{ include "spark-common.runsAlone" $root | eq "true" | ternary "spark.test.appId" "spark.app.id" }}=spark-$(POD_UID)
        - --conf
        - spark.kubernetes.driver.pod.name=$(POD_NAME)
        - --conf
        - spark.kubernetes.executor.podNamePrefix=$(POD_NAME)
        {{- include "spark-job.applicationArguments" $root | nindent 8 }}
      ports:
        {{- include "spark-common.driverPorts" . | nindent 8 }}
      resources:
        {{- include "spark-common.driverResources" (dict "root" $root "memory" (include "spark-common.containerMemory" (dict "root" $root "role" "driver" "factor" (include "spark-job.overheadFactor" $root)))) | nindent 8 }}
      {{- end }}
      env:
        {{- if eq $values.mode "client" }}
        {{- include "spark-common.driverSelf" . | nindent 8 }}
        # The image's entrypoint has the driver listen there.
        - name: SPARK_DRIVER_BIND_ADDRESS
          value: $(POD_IP)
        {{- with include "spark-common.localDirs" $root }}
        # In cluster mode Spark finds the volumes by their names itself.
        - name: SPARK_LOCAL_DIRS
          value: {{ . | quote }}
        {{- end }}
        {{- if $values.failFast }}
        - name: FAIL_FAST
          value: "1"
        {{- end }}
        {{- else }}
        {{- if include "spark-common.runsAlone" $root }}
        # The id that the pod's label has, for the local scheduler too.
        - name: KINDLING_APP_ID
          valueFrom: { fieldRef: { fieldPath: "metadata.labels['spark-app-selector']" } }
        {{- end }}
        {{- with include "spark-job.driverOptions" $root }}
        - name: SPARK_SUBMIT_OPTS
          value: {{ quote . }}
        {{- end }}
        {{- end }}
        {{- include "spark-common.driverEnv" (merge (dict "env" (include "spark-job.roleEnv" (dict "root" $root "role" "driver") | fromJson)) $own) | nindent 8 }}
      {{- with $driver.envFrom }}
      envFrom: {{ toYaml . | nindent 8 }}
      {{- end }}
      # The last lines of a container that failed stand in its status.
      terminationMessagePolicy: FallbackToLogsOnError
      securityContext:
        {{- include "spark-common.containerSecurityContext" $root | nindent 8 }}
      volumeMounts:
        {{- include "spark-common.driverMounts" $own | nindent 8 }}
        {{- include "spark-job.ivyMount" $root | nindent 8 }}
  volumes:
    {{- include "spark-common.driverVolumes" $own | nindent 4 }}
    {{- include "spark-job.ivyVolume" $root | nindent 4 }}
{{- end }}
