{{/*
What a JupyterHub makes for each user: examples/jupyterhub/kindling_hub.py puts names in the place of <pod>, <run>, <claim> and
<prefix>.

  spark-notebook.hubObjects   a map of objects: pod, claim (if homes are claims), networkPolicy, secret (of the hub's token);
                              call with the root
*/}}

{{- define "spark-notebook.hubObjects" -}}
{{- /* No object of helm's. */ -}}
{{- $more := include "spark-common.moreLabels" (dict "root" .) | fromYaml -}}
{{- $labels := include "spark-common.podLabels" (dict "root" . "component" "driver") | fromYaml | merge $more -}}
{{- $pod := include "spark-notebook.notebook" . | fromYaml -}}
{{- $_ := set $pod.metadata "name" "<pod>" -}}
pod: {{ merge (dict "apiVersion" "v1" "kind" "Pod") $pod | toJson }}
{{- if .Values.home.claim }}
claim:
  apiVersion: v1
  kind: PersistentVolumeClaim
  metadata:
    name: <claim>
    labels: {{ mergeOverwrite (deepCopy $labels) (dict "app.kubernetes.io/component" "home") | toJson }}
  spec:
    accessModes: [ReadWriteOnce]
    {{- with .Values.home.storageClass }}
    storageClassName: {{ . | quote }}
    {{- end }}
    resources:
      requests:
        storage: {{ .Values.home.size | quote }}
{{- end }}
# A user's own pods among themselves. Only a driver's own executors can have its label: the guard of spark-namespace.
networkPolicy:
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata:
    name: <run>
    labels: {{ toJson $labels }}
  spec:
    podSelector:
      matchLabels: { kindling.local/notebook: <pod> }
    policyTypes: [Ingress]
    ingress:
      - from:
          - podSelector:
              matchLabels: { kindling.local/notebook: <pod> }
        ports:
          {{- include "spark-common.applicationPorts" . | nindent 10 }}
secret:
  apiVersion: v1
  kind: Secret
  metadata:
    name: <run>
    labels: {{ toJson $labels }}
  type: Opaque
{{- end }}
