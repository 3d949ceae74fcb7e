{{/*
The notebook's pod: JupyterLab, whose kernels are drivers.

  spark-notebook.notebook   YAML with metadata and spec; call with the root
  spark-notebook.memory     memory of its container in MiB; call with the root
  spark-notebook.loginVolume  the Secret with the token as a volume, in a list, or nothing; call with the root
  spark-notebook.baseUrl    path of its pages, with a / at both ends; call with the root
  spark-notebook.port       name of its port; call with the root
  spark-notebook.forHub     "true" where a hub makes the pods; call with the root. Their template has what only the hub knows in
                            angle brackets, which Kubernetes takes for no name: <pod>, its name; <run>, the name of what goes
                            with it; <claim>, that of the home; <prefix>, the path of its pages
*/}}

{{- define "spark-notebook.notebook" -}}
{{- include "spark-common.mergeRole" (dict "root" . "role" "driver" "pod" (include "spark-notebook.pod" .)) -}}
{{- end }}

{{- define "spark-notebook.forHub" -}}
{{- if eq .Values.login.method "hub" -}}true{{- end -}}
{{- end }}

{{- define "spark-notebook.baseUrl" -}}
{{- if include "spark-notebook.forHub" . -}}
<prefix>
{{- else -}}
{{- trimSuffix "/" .Values.basePath -}}/
{{- end -}}
{{- end }}

{{- /* KubeSpawner looks for the port by its name. */}}
{{- define "spark-notebook.port" -}}
{{- eq .Values.login.method "hub" | ternary "notebook-port" "http" -}}
{{- end }}

{{- /* Each kernel has a JVM; JupyterLab itself needs less than 512 MiB. */}}
{{- define "spark-notebook.memory" -}}
{{- include "spark-common.containerMemory" (dict "root" . "role" "driver" "factor" "0.4") | int | mul .Values.kernels | add 512 -}}
{{- end }}

{{- define "spark-notebook.pod" -}}
{{- $values := .Values -}}
{{- $driver := .Values.driver -}}
{{- /* The log's configuration stands in the folder that the program makes. */ -}}
{{- $own := dict "root" . "configMap" .Release.Name -}}
{{- $forHub := include "spark-notebook.forHub" . -}}
metadata:
  labels:
    {{- include "spark-common.podLabels" (dict "root" . "component" "driver") | nindent 4 }}
    {{- if $forHub }}
    # Each user's pods are isolated, by a policy that the hub makes with them.
    kindling.local/isolated: "true"
    kindling.local/notebook: <pod>
    # The policies of zero-to-jupyterhub let such pods connect to the hub.
    hub.jupyter.org/network-access-hub: "true"
    {{- else if $values.global.isolateApplications }}
    # spark-namespace opens applications to each other but for these.
    kindling.local/isolated: "true"
    {{- end }}
    spark-role: driver
    {{- with $driver.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "spark-notebook.data" . | sha256sum }}
    {{- with $driver.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "spark-common.driverAccount" . | quote }}
  automountServiceAccountToken: true
  {{- if $forHub }}
  # One that ends by itself, idle, stays ended: the hub removes it.
  restartPolicy: OnFailure
  {{- end }}
  {{- include "spark-common.rolePlace" (dict "root" . "role" "driver") | nindent 2 }}
  initContainers:
    {{- with include "spark-notebook.executorImage" . }}
    # Executors of another image: what Spark and Python it has, for the first session to compare with its own.
    - name: executors-versions
      image: {{ . | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      command: [python3, -I, /opt/kindling/versions.py, /versions/executors.json]
      resources:
        requests: { cpu: 50m, memory: 32Mi }
        limits:
          memory: 128Mi
          {{- include "spark-common.helperCpuLimit" $values.global.helpers | nindent 10 }}
      terminationMessagePolicy: FallbackToLogsOnError
      securityContext:
        {{- include "spark-common.containerSecurityContext" . | nindent 8 }}
      volumeMounts:
        {{- include "spark-common.runMount" . | nindent 8 }}
        - { name: versions, mountPath: /versions }
    {{- end }}
    {{- include "spark-common.roleInit" (dict "root" . "role" "driver" "outside" (dict "global" $values.global "opensS3" true "eventLog" $values.global.eventLog)) | nindent 4 }}
  containers:
    - name: driver
      image: {{ include "spark-common.image" . | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      # tini takes in what kernels leave behind: their JVMs.
      args: [tini, -s, --, python3, /opt/kindling/start.py]
      ports:
        - { name: {{ include "spark-notebook.port" . }}, containerPort: {{ include "spark-common.port" "notebook" }} }
        {{- include "spark-common.driverPorts" . | nindent 8 }}
      readinessProbe:
        # The one page that asks for no login: the server's version.
        httpGet: { path: {{ include "spark-notebook.baseUrl" . }}api, port: {{ include "spark-notebook.port" . }} }
        periodSeconds: 5
      livenessProbe:
        # A restart ends all kernels: only of a server that has been silent for minutes.
        httpGet: { path: {{ include "spark-notebook.baseUrl" . }}api, port: {{ include "spark-notebook.port" . }} }
        periodSeconds: 30
        timeoutSeconds: 10
        failureThreshold: 10
      resources:
        {{- include "spark-common.driverResources" (dict "root" . "memory" (include "spark-notebook.memory" .)) | nindent 8 }}
      env:
        {{- include "spark-common.driverSelf" . | nindent 8 }}
        - name: HOME
          value: /home/spark
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
        - { name: home, mountPath: /home/spark }
        - { name: ipython, mountPath: /etc/ipython, readOnly: true }
        {{- if include "spark-notebook.executorImage" . }}
        - { name: versions, mountPath: /opt/kindling-versions, readOnly: true }
        {{- end }}
        {{- if or $forHub $values.login.secret.name }}
        - { name: login, mountPath: /etc/notebook-login, readOnly: true }
        {{- end }}
        {{- include "spark-common.driverMounts" $own | nindent 8 }}
  volumes:
    - name: home
      {{- if $values.home.claim }}
      persistentVolumeClaim:
        claimName: {{ eq $values.login.method "hub" | ternary "<claim>" ($values.home.existingClaim | default (printf "%s-home" .Release.Name)) | quote }}
      {{- else }}
      emptyDir: {}
      {{- end }}
    # What kernels load when they start.
    - name: ipython
      configMap:
        name: {{ .Release.Name | quote }}
        items:
          - { key: ipython_kernel_config.py, path: ipython_kernel_config.py }
    {{- if include "spark-notebook.executorImage" . }}
    - name: versions
      emptyDir: {}
    {{- end }}
    {{- include "spark-notebook.loginVolume" . | nindent 4 }}
    {{- include "spark-common.driverVolumes" $own | nindent 4 }}
{{- end }}

{{- define "spark-notebook.loginVolume" -}}
{{- $secret := .Values.login.secret -}}
{{- include "spark-common.tokenVolume" (dict "name" (eq .Values.login.method "hub" | ternary "<run>" $secret.name) "key" $secret.key) -}}
{{- end }}
