{{/*
Client mode: the Job's pod is the driver.

  spark-job.clientPod     call with a dict: root, name (the ConfigMap's)
*/}}

{{- define "spark-job.clientPod" -}}
{{- $pod := include "spark-job.pod" (dict "root" .root "role" "driver" "configMap" .name) | fromYaml -}}
{{- $own := include "spark-job.clientPodText" (dict "root" .root "pod" $pod) | fromYaml -}}
{{- if hasKey $own "Error" -}}
{{- fail (printf "the values of driver make no YAML: %s" $own.Error) -}}
{{- end -}}
{{- include "spark-job.overlay" (dict "base" $pod.metadata "extra" $own.metadata) -}}
{{- $_ := set $pod.spec "containers" (include "spark-job.mergeNamed" (dict "base" $own.spec.containers "extra" $pod.spec.containers) | fromYamlArray) -}}
{{- include "spark-job.overlay" (dict "base" $pod.spec "extra" (omit $own.spec "containers")) -}}
{{- toYaml $pod -}}
{{- end }}

{{/* Where Spark keeps scratch data: in cluster mode it finds the volumes by their names itself. */}}
{{- define "spark-job.localDirs" -}}
{{- $folders := list -}}
{{- range .spec.containers -}}
{{- if eq .name "driver" -}}
{{- range .volumeMounts -}}
{{- if hasPrefix "spark-local-dir-" .name -}}
{{- $folders = append $folders .mountPath -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- join "," $folders -}}
{{- end }}

{{- define "spark-job.clientPodText" -}}
{{- $root := .root -}}
{{- $pod := .pod -}}
{{- with .root.Values -}}
metadata:
  labels:
    spark-role: driver
spec:
  restartPolicy: Never
  serviceAccountName: {{ include "spark-job.driverAccount" $root | quote }}
  containers:
    - name: driver
      image: {{ include "spark-common.image" $root | quote }}
      imagePullPolicy: {{ .image.pullPolicy }}
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
        - spark.app.id=spark-$(POD_UID)
        - --conf
        - spark.kubernetes.driver.pod.name=$(POD_NAME)
        - --conf
        - spark.kubernetes.executor.podNamePrefix=$(POD_NAME)
        {{- include "spark-job.applicationArguments" $root | nindent 8 }}
      env:
        - name: POD_NAME
          valueFrom: { fieldRef: { fieldPath: metadata.name } }
        - name: POD_UID
          valueFrom: { fieldRef: { fieldPath: metadata.uid } }
        - name: POD_IP
          valueFrom: { fieldRef: { fieldPath: status.podIP } }
        - name: SPARK_DRIVER_BIND_ADDRESS
          value: $(POD_IP)
        {{- with include "spark-job.localDirs" $pod }}
        - name: SPARK_LOCAL_DIRS
          value: {{ . | quote }}
        {{- end }}
        {{- if .failFast }}
        - name: FAIL_FAST
          value: "1"
        {{- end }}
      ports:
        - { name: driver-rpc-port, containerPort: 7078 }
        - { name: blockmanager, containerPort: 7079 }
        - { name: spark-ui, containerPort: 4040 }
      resources:
        requests:
          cpu: {{ include "spark-job.cores" .driver | quote }}
          memory: {{ include "spark-job.memory" (dict "root" $root "role" "driver") }}Mi
        limits:
          {{- with .driver.limitCores }}
          cpu: {{ include "spark-common.text" . | quote }}
          {{- end }}
          memory: {{ include "spark-job.memory" (dict "root" $root "role" "driver") }}Mi
{{- end }}
{{- end }}
