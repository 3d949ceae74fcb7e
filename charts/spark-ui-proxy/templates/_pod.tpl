{{/*
What the Deployment's containers share.

  spark-ui-proxy.container     image, security, resources; call with a dict: root, resources
  spark-ui-proxy.mounts        the volumes of every container
  spark-ui-proxy.tlsMounts     nginx's certificates
  spark-ui-proxy.headerSecret  "true" where the authenticating ingress proves itself by a secret, or nothing
*/}}

{{- define "spark-ui-proxy.container" -}}
image: {{ include "spark-common.imageReference" (dict "root" .root "tag" .root.Chart.AppVersion) | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
resources:
  {{- toYaml .resources | nindent 2 }}
securityContext:
  {{- include "spark-common.containerSecurityContext" .root | nindent 2 }}
{{- end }}

{{- define "spark-ui-proxy.mounts" -}}
- { name: config, mountPath: /etc/spark-ui-proxy/config.yaml, subPath: config.yaml, readOnly: true }
- { name: run, mountPath: /run/spark-ui-proxy }
- { name: tmp, mountPath: /tmp }
{{- end }}

{{- define "spark-ui-proxy.tlsMounts" -}}
{{- if .Values.tls.secretName }}
- { name: tls, mountPath: /etc/spark-ui-proxy/tls, readOnly: true }
{{- end }}
{{- if .Values.tls.clientCA }}
- { name: client-ca, mountPath: /etc/spark-ui-proxy/client-ca, readOnly: true }
{{- end }}
{{- end }}

{{- define "spark-ui-proxy.headerSecret" -}}
{{- if and (eq .Values.login.mode "header") .Values.login.header.secret.secretName -}}true{{- end -}}
{{- end }}
