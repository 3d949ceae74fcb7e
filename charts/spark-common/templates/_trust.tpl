{{/*
Which CAs containers of Spark trust besides those of the image: global.trust and, where a container opens the store of the event
logs, global.eventLog.ca. Call with a dict: global and, of such a container, eventLog (global.eventLog).

  spark-common.authorities   the ConfigMaps with their certificates, JSON: a list of configMap and key, or nothing
  spark-common.trustInit     the init container that adds them, a list, or nothing; call with image (its reference) besides
  spark-common.trustVolumes  volumes of the pod, a list: the certificates, and what the init container makes of them
  spark-common.trustMount    the latter as a mount of a container: `cacerts` for Java, `ca-bundle.crt` for other programs
  spark-common.trustEnv      variables by which Python finds the latter; Java's are those of spark-common.jvmEnv
*/}}

{{- define "spark-common.authorities" -}}
{{- $found := list -}}
{{- if .global.trust.configMap -}}
{{- $found = append $found (pick .global.trust "configMap" "key") -}}
{{- end -}}
{{- with .eventLog -}}
{{- if and .store .ca.configMap -}}
{{- $found = append $found (pick .ca "configMap" "key") | uniq -}}
{{- end -}}
{{- end -}}
{{- with $found -}}
{{- toJson . -}}
{{- end -}}
{{- end }}

{{- define "spark-common.trustInit" -}}
{{- if include "spark-common.authorities" . -}}
- name: trust
  image: {{ .image | quote }}
  command: [python3, -I, -c]
  args:
    - |
      import os, re, ssl, subprocess, sys

      JAVA, AUTHORITY = os.environ["JAVA_HOME"], r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----"
      SYSTEM = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
      known = open(SYSTEM).read() if os.path.exists(SYSTEM) else ""
      open("/trust/cacerts", "wb").write(open(JAVA + "/lib/security/cacerts", "rb").read())
      keytool = [JAVA + "/bin/keytool", "-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1", "-importcert", "-noprompt"]
      keytool += ["-keystore", "/trust/cacerts", "-storepass", "changeit"]
      count = 0
      for where, said in zip(sys.argv[1::2], sys.argv[2::2]):
          found = re.findall(AUTHORITY, open(where).read(), re.DOTALL)
          if not found:
              sys.exit("kindling: " + said + " has no certificate in PEM: -----BEGIN CERTIFICATE-----")
          for authority in found:
              count += 1
              added = subprocess.run(
                  [*keytool, "-alias", "kindling-%d" % count],
                  input=authority, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True,
              )
              if added.returncode:
                  sys.exit("kindling: " + said + " has a certificate that Java does not take: " + " ".join(added.stdout.split()))
              known += authority + "\n"
      open("/trust/ca-bundle.crt", "w").write(known)
    {{- range $number, $authority := include "spark-common.authorities" . | fromJsonArray }}
    - /ca/{{ $number }}.crt
    - {{ printf "ConfigMap %q, key %q," .configMap .key | quote }}
    {{- end }}
  resources:
    requests: { cpu: 50m, memory: 64Mi }
    limits:
      memory: 256Mi
      {{- include "spark-common.helperCpuLimit" .global.helpers | nindent 6 }}
  terminationMessagePolicy: FallbackToLogsOnError
  securityContext:
    {{- include "spark-common.containerSecurityContext" . | nindent 4 }}
  volumeMounts:
    - name: tmp
      mountPath: /tmp
    - name: authorities
      mountPath: /ca
      readOnly: true
    - name: trust
      mountPath: /trust
{{- end -}}
{{- end }}

{{- define "spark-common.trustVolumes" -}}
{{- with include "spark-common.authorities" . }}
- name: authorities
  projected:
    sources:
      {{- range $number, $authority := fromJsonArray . }}
      - configMap:
          name: {{ .configMap | quote }}
          items:
            - { key: {{ .key | quote }}, path: "{{ $number }}.crt" }
      {{- end }}
- name: trust
  emptyDir: {}
{{- end }}
{{- end }}

{{- define "spark-common.trustMount" -}}
{{- if include "spark-common.authorities" . }}
- name: trust
  mountPath: /etc/spark-trust
  readOnly: true
{{- end }}
{{- end }}

{{- define "spark-common.trustEnv" -}}
{{- if include "spark-common.authorities" . }}
- name: SSL_CERT_FILE
  value: /etc/spark-trust/ca-bundle.crt
- name: REQUESTS_CA_BUNDLE
  value: /etc/spark-trust/ca-bundle.crt
{{- end }}
{{- end }}
