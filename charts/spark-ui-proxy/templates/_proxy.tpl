{{/*
The proxy's pod: nginx, which moves the bytes, and the decider.

  spark-ui-proxy.proxy   YAML with metadata and spec; call with the root
*/}}
{{- define "spark-ui-proxy.proxy" -}}
{{- include "spark-common.mergePod" (dict "pod" (include "spark-ui-proxy.proxyPod" .) "template" .Values.podTemplate "from" "podTemplate" "whose" "proxy" "given" list) -}}
{{- end }}

{{- define "spark-ui-proxy.proxyPod" -}}
metadata:
  labels:
    {{- include "spark-ui-proxy.selector" . | nindent 4 }}
    {{- with .Values.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "spark-ui-proxy.config" . | sha256sum }}
    {{- with .Values.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ .Release.Name | quote }}
  automountServiceAccountToken: false
  # nginx serves for five seconds more, and gives what it has begun thirty to end.
  terminationGracePeriodSeconds: 45
  {{- include "spark-common.placement" .Values | nindent 2 }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "spark-ui-proxy.selector" . | nindent 10 }}
  {{- with include "spark-common.pullSecrets" .Values.image.pullSecrets }}
  {{- . | nindent 2 }}
  {{- end }}
  securityContext:
    {{- include "spark-common.podSecurityContext" . | nindent 4 }}
  containers:
    - name: nginx
      {{- include "spark-ui-proxy.container" (dict "root" . "resources" .Values.resources.nginx) | nindent 6 }}
      # It writes the configuration, and becomes nginx.
      args: [gateway, --config, /etc/spark-ui-proxy/config.yaml, --folder, /run/spark-ui-proxy/nginx]
      ports:
        - { name: {{ include "spark-ui-proxy.scheme" . }}, containerPort: {{ include "spark-common.port" "proxy" }} }
      readinessProbe:
        tcpSocket: { port: {{ include "spark-ui-proxy.scheme" . }} }
        periodSeconds: 5
      livenessProbe:
        tcpSocket: { port: {{ include "spark-ui-proxy.scheme" . }} }
      lifecycle:
        # New connections go elsewhere within seconds; those that are there are served to their end.
        preStop:
          exec: { command: [sh, -c, "sleep 5; kill -QUIT 1; tail --pid=1 -f /dev/null"] }
      volumeMounts:
        {{- include "spark-ui-proxy.mounts" . | nindent 8 }}
        {{- include "spark-ui-proxy.tlsMounts" . | nindent 8 }}
    - name: decider
      {{- include "spark-ui-proxy.container" (dict "root" . "resources" .Values.resources.decider) | nindent 6 }}
      args: [serve, --config, /etc/spark-ui-proxy/config.yaml]
      env:
        # No pod has it.
        - { name: NODE_ADDRESS, valueFrom: { fieldRef: { fieldPath: status.hostIP } } }
      ports:
        - { name: operations, containerPort: {{ include "spark-common.port" "operations" }} }
      # Every namespace was listed once, or refuses to be.
      readinessProbe:
        httpGet: { path: /readyz, port: operations }
        periodSeconds: 5
        timeoutSeconds: 5
      livenessProbe:
        httpGet: { path: /healthz, port: operations }
        timeoutSeconds: 5
      volumeMounts:
        {{- include "spark-ui-proxy.mounts" . | nindent 8 }}
        - { name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true }
        {{- if eq .Values.login.mode "token" }}
        - { name: session-key, mountPath: /etc/spark-ui-proxy/session-key, readOnly: true }
        {{- end }}
        {{- if include "spark-ui-proxy.headerSecret" . }}
        - { name: header-secret, mountPath: /etc/spark-ui-proxy/header-secret, readOnly: true }
        {{- end }}
  volumes:
    - name: config
      configMap: { name: {{ .Release.Name | quote }} }
    # The sockets by which the two containers talk. In memory: nothing of a session is on a disk.
    - name: run
      emptyDir: { medium: Memory, sizeLimit: 16Mi }
    - name: tmp
      emptyDir: { sizeLimit: 256Mi }
    # The decider's alone: what moves the bytes has no right in the cluster.
    - name: token
      projected:
        sources:
          - serviceAccountToken: { path: token, expirationSeconds: 3600 }
          - configMap:
              name: kube-root-ca.crt
              items: [{ key: ca.crt, path: ca.crt }]
          - downwardAPI:
              items: [{ path: namespace, fieldRef: { fieldPath: metadata.namespace } }]
    {{- if eq .Values.login.mode "token" }}
    - name: session-key
      secret: { secretName: {{ .Values.login.sessionKey.secretName | quote }} }
    {{- end }}
    {{- if include "spark-ui-proxy.headerSecret" . }}
    - name: header-secret
      secret: { secretName: {{ .Values.login.header.secret.secretName | quote }} }
    {{- end }}
    {{- with .Values.tls.secretName }}
    - name: tls
      secret: { secretName: {{ quote . }} }
    {{- end }}
    {{- with .Values.tls.clientCA }}
    - name: client-ca
      secret: { secretName: {{ quote . }} }
    {{- end }}
{{- end }}
