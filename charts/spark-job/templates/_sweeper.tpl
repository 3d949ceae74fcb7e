{{/*
spark-job.sweeper: a container beside the driver's, in a list, where a StatefulSet makes the executors: it removes that when the
driver has ended, however that came. A driver that was killed cannot, and its pod, the StatefulSet's owner, stays until the Job goes:
Kubernetes would start executors again and again that find no driver. Nothing where the cluster has no such containers (Kubernetes
1.29). Call with the root.
*/}}
{{- define "spark-job.sweeper" -}}
{{- if and (eq .Values.executor.allocator "statefulset") (semverCompare ">=1.29-0" .Capabilities.KubeVersion.Version) }}
- name: sweeper
  image: {{ include "spark-common.roleImage" (dict "root" . "role" "driver") | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  restartPolicy: Always
  command: [python3, -I, -c]
  args:
    - |
      {{- include "spark-common.askApiServer" . | nindent 6 }}


      import signal

      # Spark's own name of it.
      SET = "/apis/apps/v1/namespaces/{{ .Release.Namespace }}/statefulsets/spark-s-" + os.environ["APP_ID"] + "-0"
      # Kubernetes asks the containers beside to go when the driver's has ended.
      signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
      signal.sigwait({signal.SIGTERM})
      while True:
          try:
              ask("DELETE", SET)
              print("kindling: removed the executors' StatefulSet, which the driver left behind", flush=True)
              break
          except OSError as error:
              if getattr(error, "code", 500) < 429:
                  break  # Spark removed it, or the driver may not make any
          time.sleep(0.5)
  env:
    - name: POD_UID
      valueFrom: { fieldRef: { fieldPath: metadata.uid } }
    - name: APP_ID
      {{- if eq .Values.mode "client" }}
      value: spark-$(POD_UID)
      {{- else }}
      valueFrom: { fieldRef: { fieldPath: "metadata.labels['spark-app-selector']" } }
      {{- end }}
  resources:
    requests: { cpu: 10m, memory: 32Mi }
    limits:
      memory: 128Mi
      {{- include "spark-common.helperCpuLimit" .Values.global.helpers | nindent 6 }}
  securityContext:
    {{- include "spark-common.containerSecurityContext" . | nindent 4 }}
{{- end }}
{{- end }}
